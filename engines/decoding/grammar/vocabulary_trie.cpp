// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/grammar/vocabulary_trie.h"

#include <algorithm>

namespace engines::decoding {

VocabularyTrie::VocabularyTrie(const TokenTexts& texts) : vocab_size_(texts.count()) {
  for (std::int32_t id = 0; id < texts.count(); ++id)
    if (texts.known(id) && !texts.special(id) && !texts.bytes(id).empty()) tokens_.push_back(id);
  std::ranges::sort(tokens_, {}, [&](std::int32_t id) {
    return std::pair<const std::string&, std::int32_t>(texts.bytes(id), id);
  });
  std::vector<std::uint32_t> path;  // nodes from the root to the present token's end
  const auto close_to = [&](std::size_t depth) {
    while (path.size() > depth) {
      nodes_[path.back()].skip = static_cast<std::uint32_t>(nodes_.size());
      path.pop_back();
    }
  };
  for (std::size_t i = 0; i < tokens_.size(); ++i) {
    const std::string& bytes = texts.bytes(tokens_[i]);
    std::size_t common = 0;
    while (common < path.size() && common < bytes.size() &&
           nodes_[path[common]].byte == static_cast<unsigned char>(bytes[common]))
      ++common;
    close_to(common);
    const auto place = static_cast<std::int32_t>(i);
    for (std::size_t d = common; d < bytes.size(); ++d) {
      path.push_back(static_cast<std::uint32_t>(nodes_.size()));
      nodes_.push_back(
          {0, static_cast<std::uint32_t>(d + 1), place, place, static_cast<unsigned char>(bytes[d])});
    }
    nodes_[path.back()].tokens_end = place + 1;
  }
  close_to(0);
}

}  // namespace engines::decoding
