// SPDX-License-Identifier: Apache-2.0
// Whether a directory holds a Z-Image model: its files and what model_index.json says of them.
#pragma once

#include <filesystem>

namespace engines {

// Throws MODEL_NOT_FOUND when there is no such directory, and WEIGHTS_MISSING naming every absent file.
void require_zimage_files(const std::filesystem::path& directory);

// Throws MODEL_INVALID naming the field of model_index.json whose class is not one that the pipeline runs.
void check_model_index(const std::filesystem::path& directory);

// Where the tokenizer and its chat template are: in the folder `tokenizer`, or, when there is none, in the
// text encoder's GGUF file. The other of the two is empty.
struct TokenizerSource {
  std::filesystem::path folder, gguf;
};
TokenizerSource tokenizer_source(const std::filesystem::path& directory);

}  // namespace engines
