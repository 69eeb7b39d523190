// SPDX-License-Identifier: Apache-2.0
// Cutting added tokens out of text: the leftmost, and of those the longest.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engines/tokenizer/tokenizer_spec.h"

namespace engines {

class AddedTokenMatcher {
 public:
  // `content` of each token is what is looked for.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  struct Part {
    std::string_view text;  // of a token: with the white space that it takes along
    std::int32_t id;        // -1 for text between tokens
  };
  // All of the text (valid UTF-8), in order; parts are not empty.
  std::vector<Part> split(std::string_view text) const;

 private:
  struct Node {
    std::vector<std::pair<char, std::int32_t>> children;
    std::int32_t token = -1;
  };
  void insert(std::int32_t token);
  // The longest token that begins at the front of the text, or null.
  const AddedToken* longest(std::string_view text) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;  // a trie; the first is its root
  std::vector<bool> first_bytes_;
};

}  // namespace engines
