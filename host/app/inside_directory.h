// SPDX-License-Identifier: Apache-2.0
// What an engine may read of a model directory that somebody else has made.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "host/app/app_context.h"
#include "host/store/assembly.h"

namespace roundhouse::host {

// Stands for the directory without the links that `links` does not follow: the directory itself where there
// are none, else a directory of links to all else beneath the store's root, for as long as this lives.
class InsideDirectory {
 public:
  // Throws what list_model_files throws, and INVALID_ARGUMENT where links have to be left out and there is no
  // store.
  InsideDirectory(const AppContext& context, const std::filesystem::path& directory, Links links);

  const std::filesystem::path& path() const { return path_; }
  // inspect_model_directory of it; its errors name the directory itself and what was left out.
  ModelDirectory inspect() const;

 private:
  const std::filesystem::path directory_;
  std::filesystem::path path_;
  std::string left_out_;
  std::optional<Assembly> assembly_;
};

}  // namespace roundhouse::host
