// SPDX-License-Identifier: Apache-2.0
// The tokens of a vocabulary by their bytes, so that what they have in common is looked at once.
#pragma once

#include <cstdint>
#include <vector>

#include "engines/decoding/token_texts.h"

namespace engines::decoding {

class VocabularyTrie {
 public:
  // Of the tokens that are text: not of special ones.
  explicit VocabularyTrie(const TokenTexts& texts);

  struct Node {
    std::uint32_t skip = 0;                         // the node behind all that begin as this one does
    std::uint32_t depth = 0;                        // bytes, this one included
    std::int32_t tokens_begin = 0, tokens_end = 0;  // of `tokens`: those that end here
    unsigned char byte = 0;
  };
  // In the order of a walk that goes deep first.
  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<std::int32_t>& tokens() const { return tokens_; }
  std::int64_t vocab_size() const { return vocab_size_; }

 private:
  std::vector<Node> nodes_;
  std::vector<std::int32_t> tokens_;
  std::int64_t vocab_size_;
};

}  // namespace engines::decoding
