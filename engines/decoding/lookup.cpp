// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/lookup.h"

#include <algorithm>

namespace engines::decoding {
namespace {

constexpr std::size_t kLongestEnd = 4, kShortestEnd = 2;
constexpr std::size_t kSeen = 8192;  // a look must stay far cheaper than a token

}  // namespace

std::vector<std::int32_t> look_up(std::span<const std::int32_t> ids, std::size_t count) {
  const auto text = ids.last(std::min(ids.size(), kSeen));
  for (std::size_t length = kLongestEnd; length >= kShortestEnd && count > 0; --length) {
    if (text.size() <= length) continue;
    const auto end = text.last(length);
    const auto before = text.first(text.size() - 1);
    const auto found = std::find_end(before.begin(), before.end(), end.begin(), end.end());
    if (found == before.end()) continue;
    const auto follows = text.subspan(static_cast<std::size_t>(found - before.begin()) + length);
    const auto guess = follows.first(std::min(count, follows.size()));
    return {guess.begin(), guess.end()};
  }
  return {};
}

}  // namespace engines::decoding
