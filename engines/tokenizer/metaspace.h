// SPDX-License-Identifier: Apache-2.0
// How SentencePiece writes spaces: what the pre-tokenizer and the decoder `Metaspace` share.
#pragma once

#include <string>

#include "engines/tokenizer/stage_config.h"

namespace engines {

struct Metaspace {
  // Where a space is put before a text: before each, before the first, or never.
  enum class Scheme { always, first, never };

  explicit Metaspace(const StageConfig& component);

  std::string replacement;  // for a space: one character
  Scheme scheme;
};

}  // namespace engines
