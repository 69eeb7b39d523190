// SPDX-License-Identifier: Apache-2.0
// Everything that is wrong with a model directory, as far as it can be told without computing.
#pragma once

#include <filesystem>
#include <vector>

#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Reads every JSON file and the header of every safetensors and GGUF file: missing files, damaged JSON,
// headers that contradict their file (ranges that overlap, leave gaps, lie outside, or are not the size of
// dtype and shape), tensors that an index promises and no shard holds. Empty for a sound directory. Reads no
// weights. Throws only IO_ERROR for what cannot be walked, and MODEL_NOT_FOUND.
std::vector<Error> model_directory_problems(const std::filesystem::path& directory);

// The same for what an engine has written: throws the first problem, IO_ERROR for a link.
void require_whole_model(const std::filesystem::path& directory);

}  // namespace roundhouse::host
