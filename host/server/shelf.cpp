// SPDX-License-Identifier: Apache-2.0
#include "host/server/shelf.h"

#include <sys/random.h>

#include <array>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

std::string Shelf::fresh_name() {
  std::array<unsigned char, 16> bytes{};
  if (getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw Error(RH_INTERNAL, "the system gives no random numbers");
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string name;
  for (const unsigned char byte : bytes) {
    name += kDigits[byte >> 4];
    name += kDigits[byte & 15];
  }
  return name;
}

Shelf::Shelf(Limits limits, std::function<Clock::time_point()> now) : limits_(limits), now_(std::move(now)) {
}

void Shelf::keep(const std::string& name, std::string file) {
  Kept kept{name, std::make_shared<const std::string>(std::move(file)), {}};
  const std::lock_guard lock(mutex_);
  drop_old();
  while (!kept_.empty() && (kept_.size() >= limits_.files || bytes_ + kept.file->size() > limits_.bytes))
    drop(kept_.begin());
  kept.end = now_() + limits_.age;
  bytes_ += kept.file->size();
  kept_.push_back(kept);
  names_.emplace(kept.name, std::prev(kept_.end()));
}

std::string Shelf::keep(std::string file) {
  std::string name = fresh_name();
  keep(name, std::move(file));
  return name;
}

bool Shelf::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = names_.find(name);
  if (found == names_.end()) return false;
  drop(found->second);
  return true;
}

std::shared_ptr<const std::string> Shelf::find(const std::string& name) {
  const std::lock_guard lock(mutex_);
  drop_old();
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : found->second->file;
}

void Shelf::drop_old() {
  while (!kept_.empty() && kept_.front().end <= now_())
    drop(kept_.begin());
}

void Shelf::drop(std::list<Kept>::iterator kept) {
  bytes_ -= kept->file->size();
  names_.erase(kept->name);
  kept_.erase(kept);
}

}  // namespace roundhouse::host
