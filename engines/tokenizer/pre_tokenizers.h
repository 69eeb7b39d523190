// SPDX-License-Identifier: Apache-2.0
// Pre-tokenizers: cutting normalised text into the pieces that the model works on.
#pragma once

#include <memory>

#include "engines/tokenizer/segments.h"
#include "engines/tokenizer/stage_config.h"

namespace engines {

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  // Cuts the pieces further, or writes them anew. INVALID_ARGUMENT where the text becomes longer than it may,
  // or a pattern takes too long on it. Any thread.
  virtual void apply(Segments& segments) const = 0;
  // Whether pieces leave it in the alphabet of bytes.
  virtual bool byte_level() const { return false; }
};

using PreTokenizerPart = std::unique_ptr<const PreTokenizer>;

// MODEL_INVALID with place and value for what is not supported or damaged.
PreTokenizerPart make_pre_tokenizer(const StageConfig& component);

}  // namespace engines
