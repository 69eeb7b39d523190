// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_files.h"

#include <algorithm>

#include "host/log/reason.h"
#include "host/store/oci_manifest.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaximumFiles = 10'000;
constexpr int kMaximumDepth = 16;  // links may lead in circles

[[noreturn]] void refuse_model(const std::string& path, const std::string& what) {
  throw Error(RH_IO_ERROR, "file '" + path + "': " + what);
}

void collect(const fs::path& directory, const std::string& prefix, int depth,
             std::vector<SourceFile>& files) {
  if (depth > kMaximumDepth) refuse_model(prefix, "directories nested deeper than 16");
  std::error_code error;
  fs::directory_iterator it(directory, error);
  for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.starts_with(".")) continue;
    const std::string path = prefix + name;
    require_safe_path(path, "model directory");
    std::error_code status_error;
    const fs::file_status status = fs::status(it->path(), status_error);
    if (status_error) refuse_model(path, reason(status_error));
    if (fs::is_directory(status)) {
      collect(it->path(), path + "/", depth + 1, files);
    } else if (!fs::is_regular_file(status)) {
      refuse_model(path, "is neither a file nor a directory");
    } else {
      const auto size = fs::file_size(it->path(), status_error);
      if (status_error) refuse_model(path, reason(status_error));
      files.push_back({path, it->path(), size});
      if (files.size() > kMaximumFiles)
        throw Error(RH_MODEL_INVALID, "model directory: has more than 10000 files");
    }
  }
  if (error) throw Error(RH_IO_ERROR, "directory '" + directory.string() + "': " + reason(error));
}

}  // namespace

std::vector<SourceFile> model_files(const fs::path& directory) {
  std::vector<SourceFile> files;
  collect(directory, "", 0, files);
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

}  // namespace roundhouse::host
