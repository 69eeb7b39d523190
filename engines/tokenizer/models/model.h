// SPDX-License-Identifier: Apache-2.0
// A model of a tokenizer: what makes ids of one piece of text.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "engines/tokenizer/models/vocabulary.h"

namespace engines {

class Model {
 public:
  explicit Model(const TokenizerSpec& spec) : vocabulary_(spec) {}
  virtual ~Model() = default;
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Appends the ids of one piece, which is not empty and valid UTF-8. Any thread. MODEL_INVALID where the
  // piece has what the vocabulary lacks and the model names no unknown token.
  virtual void encode(std::string_view piece, std::vector<std::int32_t>& ids) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
};

// MODEL_INVALID with file and token where the parts of the model do not fit together. `byte_level`: pieces
// are written in the alphabet of bytes.
std::unique_ptr<Model> make_model(const TokenizerSpec& spec, bool byte_level);

}  // namespace engines
