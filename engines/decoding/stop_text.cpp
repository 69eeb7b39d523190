// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/stop_text.h"

#include <algorithm>
#include <utility>

namespace engines::decoding {

std::string StopText::push(std::string_view text) {
  if (found_) return {};
  if (stops_.empty()) return std::string(text);
  for (const char byte : text) {
    held_ += byte;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < stops_.size(); ++i) {
      if (stops_[i].size() <= longest || !held_.ends_with(stops_[i])) continue;
      longest = stops_[i].size();
      found_ = static_cast<std::uint32_t>(i);
    }
    if (!found_) continue;
    held_.resize(held_.size() - longest);
    return std::exchange(held_, {});
  }
  std::string free = held_.substr(0, held_.size() - longest_beginning());
  held_.erase(0, free.size());
  return free;
}

std::string StopText::finish() {
  return std::exchange(held_, {});
}

// Bytes at the end of held_ that are the beginning of a stop string.
std::size_t StopText::longest_beginning() const {
  std::size_t longest = 0;
  for (const std::string& stop : stops_) {
    for (std::size_t n = std::min(stop.size() - 1, held_.size()); n > longest; --n) {
      if (held_.ends_with(std::string_view(stop).substr(0, n))) longest = n;
    }
  }
  return longest;
}

}  // namespace engines::decoding
