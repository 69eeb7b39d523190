// SPDX-License-Identifier: Apache-2.0
// The order in which directories are searched for engines.
#include <algorithm>
#include <set>
#include <system_error>

#include "host/discovery/discovery.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// One directory under many names (`a/../b`, links) is still one.
fs::path identity(const fs::path& path) {
  std::error_code failure;
  fs::path result = fs::weakly_canonical(path, failure);
  if (failure) result = fs::absolute(path, failure).lexically_normal();
  if (!result.has_filename()) result = result.parent_path();
  return result;
}

// Workers run elsewhere, and a record is found again by its file: both need one spelling that stands by
// itself.
fs::path made_absolute(const fs::path& path) {
  std::error_code failure;
  const fs::path result = path.empty() ? path : fs::absolute(path, failure).lexically_normal();
  return failure ? path : result;
}

std::vector<fs::path> split(const std::string& list) {
  std::vector<fs::path> result;
  std::size_t begin = 0;
  while (begin <= list.size()) {
    const std::size_t end = std::min(list.find(':', begin), list.size());
    if (end > begin) result.emplace_back(list.substr(begin, end - begin));
    begin = end + 1;
  }
  return result;
}

// $XDG_DATA_HOME, which counts only when absolute, or ~/.local/share.
std::optional<fs::path> data_home(const DiscoveryInput& input) {
  const auto data = input.environment("XDG_DATA_HOME");
  if (data && fs::path(*data).is_absolute()) return fs::path(*data);
  const auto home = input.environment("HOME");
  if (home && fs::path(*home).is_absolute()) return fs::path(*home) / ".local" / "share";
  return std::nullopt;
}

}  // namespace

std::vector<SearchDirectory> search_directories(const DiscoveryInput& input) {
  std::vector<SearchDirectory> result;
  std::set<fs::path> seen;
  const auto add = [&](const fs::path& path, const char* origin) {
    if (seen.insert(identity(path)).second) result.push_back({made_absolute(path), origin});
  };
  for (const auto& directory : input.flag_directories)
    add(directory, "flag");
  if (const auto list = input.environment("ROUNDHOUSE_ENGINE_PATH")) {
    for (const auto& directory : split(*list))
      add(directory, "environment");
  }
  if (const auto data = data_home(input)) add(*data / "roundhouse" / "engines", "user");
  // <prefix>/bin/roundhouse and <build>/bin/roundhouse lie alike; only a build tree has CMake's cache.
  const fs::path root = input.executable.parent_path().parent_path();
  std::error_code ignored;
  if (fs::exists(root / "CMakeCache.txt", ignored)) {
    add(root / "engines", "build");
  } else {
    add(root / ROUNDHOUSE_INSTALL_LIBDIR / "roundhouse" / "engines", "install");
  }
  return result;
}

}  // namespace roundhouse::host
