// SPDX-License-Identifier: Apache-2.0
// The files of a model directory that is to be taken into the store.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace roundhouse::host {

// Which symbolic links are followed.
enum class Links {
  any,     // all: of directories that this program or the user has put together
  within,  // those that stay in the directory, and those of a hub's cache to the files of the same repository
  none     // a link is an error
};

struct SourceFile {
  std::string path;  // in the model directory
  std::filesystem::path file;
  std::uint64_t size = 0;
};

struct ModelFiles {
  std::vector<SourceFile> files;  // by path
  // Paths of what no model can have, for messages: links that are not followed or lead nowhere, what is
  // neither file nor directory or cannot be read, names that a manifest may not have.
  std::vector<std::string> left_out;
};

// All files beneath a directory. What begins with a dot is not looked at. Throws IO_ERROR where the directory
// itself cannot be read and, with Links::none, for everything that is neither file nor directory,
// MODEL_INVALID for more than 10 000 files.
ModelFiles list_model_files(const std::filesystem::path& directory, Links links);
// The files alone, all links followed.
std::vector<SourceFile> model_files(const std::filesystem::path& directory);

}  // namespace roundhouse::host
