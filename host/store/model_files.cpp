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

// The files of the repository whose snapshot a directory of a hub's cache is or is part of; empty elsewhere.
fs::path hub_files(const fs::path& canonical) {
  for (fs::path at = canonical; at.has_relative_path(); at = at.parent_path()) {
    const fs::path parent = at.parent_path();
    if (parent.filename() == "snapshots" && parent.parent_path().filename().string().starts_with("models--"))
      return parent.parent_path() / "blobs";
  }
  return {};
}

bool is_beneath(const fs::path& path, const fs::path& directory) {
  return !directory.empty() &&
         std::mismatch(directory.begin(), directory.end(), path.begin(), path.end()).first == directory.end();
}

class Collector {
 public:
  Collector(const fs::path& directory, Links links) : links_(links) {
    std::error_code ignored;
    if (links == Links::within) {
      root_ = fs::canonical(directory, ignored);
      hub_ = hub_files(root_);
    }
  }

  // Whether the directory could be read.
  std::error_code collect(const fs::path& directory, const std::string& prefix, int depth) {
    std::error_code error;
    fs::directory_iterator it(directory, error);
    for (const fs::directory_iterator end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (!name.starts_with(".")) add(it->path(), prefix + name, depth);
    }
    return error;
  }

  ModelFiles take() {
    std::ranges::sort(result_.files, {}, &SourceFile::path);
    std::ranges::sort(result_.left_out);
    return std::move(result_);
  }

 private:
  void leave_out(const std::string& path, const std::string& why) {
    if (links_ == Links::none) throw Error(RH_IO_ERROR, "file '" + path + "': " + why);
    result_.left_out.push_back(path);
  }

  // Where a link leads to; empty where it is not followed.
  fs::path followed(const fs::path& link) const {
    std::error_code error;
    if (links_ == Links::none) return {};
    if (links_ == Links::any) return link;
    const fs::path target = fs::canonical(link, error);
    return !error && (is_beneath(target, root_) || is_beneath(target, hub_)) ? target : fs::path();
  }

  void add(fs::path file, const std::string& path, int depth) {
    if (!is_safe_path(path)) return leave_out(path, "has a name that no model can have");
    std::error_code error;
    if (fs::is_symlink(fs::symlink_status(file, error))) {
      file = followed(file);
      if (file.empty()) return leave_out(path, "is a symbolic link");
    }
    const fs::file_status status = fs::status(file, error);
    if (error) return leave_out(path, reason(error));
    if (fs::is_directory(status)) {
      if (depth == kMaximumDepth) return leave_out(path, "is nested deeper than 16 directories");
      if (const auto unread = collect(file, path + "/", depth + 1)) leave_out(path, reason(unread));
      return;
    }
    if (!fs::is_regular_file(status)) return leave_out(path, "is neither a file nor a directory");
    const auto size = fs::file_size(file, error);
    if (error) return leave_out(path, reason(error));
    if (result_.files.size() == kMaximumFiles)
      throw Error(RH_MODEL_INVALID, "model directory: has more than 10000 files");
    result_.files.push_back({path, file, size});
  }

  const Links links_;
  fs::path root_, hub_;  // with Links::within: canonical
  ModelFiles result_;
};

}  // namespace

ModelFiles list_model_files(const fs::path& directory, Links links) {
  Collector collector(directory, links);
  if (const auto error = collector.collect(directory, "", 0))
    throw Error(RH_IO_ERROR, "directory '" + directory.string() + "': " + reason(error));
  return collector.take();
}

std::vector<SourceFile> model_files(const fs::path& directory) {
  return list_model_files(directory, Links::any).files;
}

}  // namespace roundhouse::host
