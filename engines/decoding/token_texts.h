// SPDX-License-Identifier: Apache-2.0
// What each token of a vocabulary stands for.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engines/tokenizer/tokenizer.h"

namespace engines::decoding {

// All of them, read once. Refers to nothing.
class TokenTexts {
 public:
  // Of `count` tokens, as many as the model has logits; ids that the tokenizer does not know stand for
  // nothing.
  TokenTexts(const Tokenizer& tokenizer, std::int64_t count);

  std::int64_t count() const { return static_cast<std::int64_t>(bytes_.size()); }
  // The bytes of a token alone, maybe part of a character.
  const std::string& bytes(std::int32_t id) const { return bytes_[static_cast<std::size_t>(id)]; }
  // Whether it is a mark of the model's and not text: special, or of an id without token.
  bool special(std::int32_t id) const { return special_[static_cast<std::size_t>(id)]; }
  // A matrix may have more rows than there are tokens.
  bool known(std::int32_t id) const { return known_[static_cast<std::size_t>(id)]; }
  // The special or added token with that content; -1 when there is none.
  std::int32_t find(std::string_view content) const;

 private:
  std::vector<std::string> bytes_;
  std::vector<bool> special_, known_;
  std::vector<std::pair<std::string, std::int32_t>> added_;
};

}  // namespace engines::decoding
