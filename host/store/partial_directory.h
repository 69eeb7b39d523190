// SPDX-License-Identifier: Apache-2.0
// A directory that appears under its name only when it is whole.
#pragma once

#include <filesystem>

#include "host/store/file.h"

namespace roundhouse::host {

// Files in the making lie in ".NAME.partial" beside the target. What a killed process left there is removed
// by the next one; two at once are refused.
class PartialDirectory {
 public:
  // Throws IO_ERROR where the target exists and is not an empty directory, or another process is making it.
  explicit PartialDirectory(const std::filesystem::path& target);
  // Removes everything unless `finish` was called.
  ~PartialDirectory();
  PartialDirectory(const PartialDirectory&) = delete;
  PartialDirectory& operator=(const PartialDirectory&) = delete;

  // The empty directory to be filled. Absolute.
  std::filesystem::path path() const { return root_ / "model"; }
  // Gives it its name, durably.
  void finish();

 private:
  std::filesystem::path target_, root_;
  File lock_;
};

}  // namespace roundhouse::host
