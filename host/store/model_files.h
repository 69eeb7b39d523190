// SPDX-License-Identifier: Apache-2.0
// The files of a model directory that is to be taken into the store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace roundhouse::host {

struct SourceFile {
  std::string path;  // in the model directory
  std::filesystem::path file;
  std::uint64_t size = 0;
};

// All files beneath a directory, by path. Links are followed, as those of a hub's cache must be; what begins
// with a dot is left out. Throws IO_ERROR for what is neither file nor directory and for links that lead
// nowhere, UNSAFE_NAME for names that a manifest may not have, MODEL_INVALID for more than 10 000 files.
std::vector<SourceFile> model_files(const std::filesystem::path& directory);

}  // namespace roundhouse::host
