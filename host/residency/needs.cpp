// SPDX-License-Identifier: Apache-2.0
// Sizes on disk, estimates and measurements.
#include "host/residency/needs.h"

#include <sys/stat.h>

#include <algorithm>
#include <set>
#include <system_error>

namespace roundhouse::host {
namespace {

// Costs that are remembered for a model; a client that asks for all there are must not fill the memory.
constexpr std::size_t kCosts = 64;

void add_files(const std::filesystem::path& folder, WeightFiles& files) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const auto extension = entry.path().extension();
    struct stat info {};
    if (extension != ".safetensors" && extension != ".gguf") continue;
    if (stat(entry.path().c_str(), &info) != 0 || !S_ISREG(info.st_mode)) continue;
    const bool known = std::ranges::any_of(files, [&](const WeightFile& file) {
      return file.device == info.st_dev && file.inode == info.st_ino;
    });
    if (!known) files.push_back({info.st_dev, info.st_ino, static_cast<std::uint64_t>(info.st_size)});
  }
}

}  // namespace

WeightFiles weight_files(const std::filesystem::path& directory) {
  WeightFiles files;
  if (directory.empty()) return files;
  add_files(directory, files);
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    if (entry.is_directory(ignored)) add_files(entry.path(), files);
  }
  return files;
}

std::uint64_t bytes_of(const WeightFiles& files) {
  std::uint64_t sum = 0;
  for (const WeightFile& file : files)
    sum += file.bytes;
  return sum;
}

std::uint64_t total_bytes(const std::vector<Use>& uses) {
  std::uint64_t sum = 0;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (const Use& use : uses) {
    sum += use.bytes;
    if (use.bytes < bytes_of(*use.files)) continue;
    for (const WeightFile& file : *use.files) {
      if (!seen.emplace(file.device, file.inode).second) sum -= file.bytes;
    }
  }
  return sum;
}

void NeedTable::expect(const std::string& key, WeightFiles files) {
  Entry& entry = entries_[key];
  if (entry.files != nullptr) return;
  entry.held = bytes_of(files);
  entry.files = std::make_shared<const WeightFiles>(std::move(files));
}

void NeedTable::note(const std::string& key, const Cost& cost, std::uint64_t held, std::uint64_t peak) {
  Entry& entry = entries_.at(key);
  entry.asked = true;
  entry.held = held;
  if (entry.work.size() >= kCosts && !entry.work.contains(cost)) entry.work.clear();
  entry.work[cost] = peak - std::min(held, peak);
}

void NeedTable::note_device(const std::string& key, const std::string& device, std::uint64_t bytes) {
  std::uint64_t& known = entries_.at(key).devices[device];
  known = std::max(known, bytes);
}

void NeedTable::note_unknowable(const std::string& key) {
  entries_.at(key).asked = true;
}

Need NeedTable::need(const std::string& key, const std::optional<Cost>& cost) const {
  const Entry& entry = entries_.at(key);
  Need need{entry.held, entry.held, entry.asked, entry.asked, entry.files, entry.devices};
  if (!cost) return need;
  const auto nearest = nearest_cost(entry.work, *cost);
  if (nearest == entry.work.end()) {
    need.exact = need.asked && entry.work.empty();
    return need;
  }
  const double scale = scale_of(*cost, nearest->first);
  need.peak += static_cast<std::uint64_t>(scale * static_cast<double>(nearest->second));
  need.exact = nearest->first == *cost;
  return need;
}

}  // namespace roundhouse::host
