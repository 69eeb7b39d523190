// SPDX-License-Identifier: Apache-2.0
// How the hidden states of a text's tokens become one vector, after sentence-transformers' Pooling and
// Normalize.
#pragma once

#include <filesystem>
#include <vector>

#include "engines/tensor/tensor.h"

namespace engines {

struct Pooling {
  enum class Kind { first, mean, last, largest };
  Kind kind = Kind::mean;
  bool normalise = true;  // to length 1

  // From modules.json and the configuration of the pooling that it names (mostly 1_Pooling). Without
  // modules.json <folder>/1_Pooling/config.json, or else `usual`, with the norm. A module that is neither
  // transformer, pooling nor norm, or a mode that is none of cls, mean, last token and max, is
  // CAPABILITY_UNSUPPORTED; a path that leaves the folder UNSAFE_NAME.
  static Pooling read(const std::filesystem::path& folder, Kind usual);
};

// hidden: [tokens, width], at least one token.
std::vector<float> pooled(ConstRows hidden, const Pooling& pooling);

}  // namespace engines
