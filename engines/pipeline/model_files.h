// SPDX-License-Identifier: Apache-2.0
// Which architecture a directory holds, and whether it is complete.
#pragma once

#include <filesystem>

#include "engines/pipeline/architecture.h"

namespace engines {

// The architecture that model_index.json names. Throws MODEL_NOT_FOUND when there is no such directory,
// WEIGHTS_MISSING naming every absent file, MODEL_INVALID naming the field of model_index.json whose class is
// not one that the code runs.
const Architecture& checked_architecture(Architectures known, const std::filesystem::path& directory);

// Where the tokenizer and its chat template are: in the folder `tokenizer`, or, when there is none, in the
// text encoder's GGUF file. The other of the two is empty.
struct TokenizerSource {
  std::filesystem::path folder, gguf;
};
TokenizerSource tokenizer_source(const std::filesystem::path& directory);

}  // namespace engines
