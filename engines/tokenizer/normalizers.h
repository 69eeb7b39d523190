// SPDX-License-Identifier: Apache-2.0
// Normalizers: text to text, before it is split.
#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include "engines/tokenizer/stage_config.h"

namespace engines {

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  // Valid UTF-8 to valid UTF-8. INVALID_ARGUMENT where the result is longer than `most` bytes. Any thread.
  virtual std::string apply(std::string text, std::size_t most) const = 0;
};

using NormalizerPart = std::unique_ptr<const Normalizer>;

// MODEL_INVALID with place and value for what is not supported or damaged.
NormalizerPart make_normalizer(const StageConfig& component);
// Those that have a file of their own.
NormalizerPart make_bert_normalizer(const StageConfig& component);
NormalizerPart make_precompiled_charsmap(const StageConfig& component);

// How long a text may become.
std::size_t longest_normal_text(std::size_t bytes);
// INVALID_ARGUMENT where the text has become longer than `most` bytes.
void require_no_longer(const std::string& text, std::size_t most);

}  // namespace engines
