// SPDX-License-Identifier: Apache-2.0
// A file copied as it is.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace engines::conversion {

// Links are followed; blocks are shared where the file system can. `shown` names the file in messages; `step`
// is called at least once per 32 MiB and throws to end it. IO_ERROR, INSUFFICIENT_STORAGE.
void copy_file(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& shown,
               const std::function<void()>& step);

}  // namespace engines::conversion
