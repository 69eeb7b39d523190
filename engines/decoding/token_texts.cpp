// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/token_texts.h"

#include <algorithm>

namespace engines::decoding {

TokenTexts::TokenTexts(const Tokenizer& tokenizer, std::int64_t count)
    : bytes_(static_cast<std::size_t>(count)), special_(bytes_.size(), true), known_(bytes_.size()) {
  for (std::int32_t id = 0; id < count; ++id) {
    const auto found = id < tokenizer.size() ? tokenizer.bytes(id) : std::nullopt;
    if (!found) continue;
    bytes_[static_cast<std::size_t>(id)] = found->bytes;
    known_[static_cast<std::size_t>(id)] = true;
    special_[static_cast<std::size_t>(id)] = found->special;
    if (found->added) added_.emplace_back(found->bytes, id);
  }
}

std::int32_t TokenTexts::find(std::string_view content) const {
  const auto place = std::ranges::find(added_, content, &std::pair<std::string, std::int32_t>::first);
  return place == added_.end() ? -1 : place->second;
}

}  // namespace engines::decoding
