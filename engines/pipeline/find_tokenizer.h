// SPDX-License-Identifier: Apache-2.0
// The tokenizer of a directory, whatever else that holds.
#pragma once

#include <filesystem>

#include "engines/tokenizer/tokenizer.h"

namespace engines {

// From the directory's own tokenizer.json (or vocab.json and merges.txt), from the folder `tokenizer`, from
// the text encoder's GGUF file, or from the one GGUF file that it holds; also from a GGUF file by itself.
// MODEL_NOT_FOUND where there is nothing, WEIGHTS_MISSING for a directory without tokenizer, and what reading
// one throws.
Tokenizer find_tokenizer(const std::filesystem::path& directory);

}  // namespace engines
