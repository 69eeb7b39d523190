// SPDX-License-Identifier: Apache-2.0
// Texts to vectors: an embedding model with its tokenizer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "engines/text/embedding_model.h"
#include "engines/tokenizer/tokenizer.h"

namespace engines::decoding {

struct EmbeddingWish {
  std::uint32_t dimensions = 0;  // the first so many numbers, of length 1 again; 0 = all
  bool truncate = false;         // a text beyond the window: leave its end out, or refuse it
  bool normalise = false;
};

struct EmbeddedText {
  std::vector<float> values;
  std::int64_t tokens = 0;  // that were read
};

class TextEmbedder {
 public:
  TextEmbedder(std::unique_ptr<EmbeddingModel> model, Tokenizer tokenizer)
      : model_(std::move(model)), tokenizer_(std::move(tokenizer)) {}

  // Throws INVALID_ARGUMENT for a text that is not UTF-8, has no tokens or too many, and for more dimensions
  // than there are; CANCELLED. One call at a time.
  EmbeddedText embed(std::string_view text, const EmbeddingWish& wish, Run& run);

  std::int64_t width() const { return model_->width(); }
  std::int64_t window() const { return model_->window(); }

 private:
  std::vector<std::int32_t> ids_of(std::string_view text, bool truncate) const;

  std::unique_ptr<EmbeddingModel> model_;
  Tokenizer tokenizer_;
};

}  // namespace engines::decoding
