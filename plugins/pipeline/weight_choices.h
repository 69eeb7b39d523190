// SPDX-License-Identifier: Apache-2.0
// Options of models that are one of a few words.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/tensor/dtype.h"
#include "roundhouse/options.hpp"

namespace roundhouse::pipeline {

// One of a few words, as an enum's value; the first is the default.
template <class Value>
Value choice(Options& options, const char* name, const std::vector<std::pair<std::string, Value>>& values) {
  const std::string given = options.string(name, values.front().first);
  std::string expected;
  for (const auto& [word, value] : values) {
    if (word == given) return value;
    expected += (expected.empty() ? "" : ", ") + word;
  }
  throw Error(RH_INVALID_ARGUMENT, "option '" + std::string(name) + "': '" + given +
                                       "' is not known, expected one of: " + expected);
}

using Weights = std::optional<engines::Dtype>;

// What the big matrices may be rounded to, the default first.
const std::vector<std::pair<std::string, Weights>>& weight_choices();

}  // namespace roundhouse::pipeline
