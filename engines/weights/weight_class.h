// SPDX-License-Identifier: Apache-2.0
// What the class of a component says of the files that hold its weights.
#pragma once

#include <string_view>
#include <vector>

#include "engines/weights/name_table.h"

namespace engines {

enum class WeightKind {
  denoiser,
  text,  // a language model, or the encoder made of one
  vae,
  other
};

struct WeightClass {
  // Names of classes begin so: _class_name, or the first of `architectures`.
  std::string_view begins;
  WeightKind kind = WeightKind::other;
  // general.architecture of its GGUF files; empty: they have none.
  std::string_view gguf_architecture;
  // What GGUF files call its tensors; null: what the model itself calls them.
  const NameTable& (*names)() = nullptr;
  // Names of tensors in a block, whose matrices are what may be rounded, hold one of these.
  std::vector<std::string_view> blocks;
};

}  // namespace engines
