// SPDX-License-Identifier: Apache-2.0
// Models that look whole words up: WordPiece (the longest token first) and WordLevel.
#pragma once

#include <cstddef>
#include <string>

#include "engines/tokenizer/models/model.h"

namespace engines {

class WordPiece : public Model {
 public:
  explicit WordPiece(const TokenizerSpec& spec);
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const override;

 private:
  // The longest token at the front of `rest`; its length goes into `length`. -1 where there is none.
  std::int32_t longest_token(std::string_view rest, bool continues, std::size_t& length) const;

  std::string prefix_;
  std::size_t most_characters_;
  std::int32_t unk_;
  std::string vocab_shown_;
};

class WordLevel : public Model {
 public:
  explicit WordLevel(const TokenizerSpec& spec);
  void encode(std::string_view piece, std::vector<std::int32_t>& ids) const override;

 private:
  std::int32_t unk_;
  std::string vocab_shown_;
};

}  // namespace engines
