// SPDX-License-Identifier: Apache-2.0
#include "host/server/image_shelf.h"

#include <sys/random.h>

#include <array>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

std::string fresh_name() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size())) {
    throw Error(RH_INTERNAL, "the system gives no random numbers");
  }
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  for (const unsigned char byte : bytes) {
    name += kDigits[byte >> 4];
    name += kDigits[byte & 15];
  }
  return name;
}

}  // namespace

ImageShelf::ImageShelf(Limits limits, std::function<Clock::time_point()> now)
    : limits_(limits), now_(std::move(now)) {
}

std::string ImageShelf::keep(std::string file) {
  Kept kept{fresh_name(), std::make_shared<const std::string>(std::move(file)), {}};
  const std::lock_guard lock(mutex_);
  drop_old();
  while (!kept_.empty() && (kept_.size() >= limits_.images || bytes_ + kept.file->size() > limits_.bytes))
    drop_first();
  kept.end = now_() + limits_.age;
  bytes_ += kept.file->size();
  kept_.push_back(kept);
  names_.emplace(kept.name, std::prev(kept_.end()));
  return kept.name;
}

std::shared_ptr<const std::string> ImageShelf::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  drop_old();
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second->file;
}

void ImageShelf::drop_old() {
  while (!kept_.empty() && kept_.front().end <= now_())
    drop_first();
}

void ImageShelf::drop_first() {
  bytes_ -= kept_.front().file->size();
  names_.erase(kept_.front().name);
  kept_.pop_front();
}

}  // namespace roundhouse::host
