// SPDX-License-Identifier: Apache-2.0
#include "host/store/partial_directory.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

fs::path whole(const fs::path& path) {
  fs::path absolute = fs::absolute(path).lexically_normal();
  return absolute.has_filename() ? absolute : absolute.parent_path();
}

std::string shown(const fs::path& path) {
  return "directory '" + path.string() + "'";
}

void require_free(const fs::path& target) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) throw Error(RH_IO_ERROR, shown(target) + ": exists and is not a directory");
  if (!fs::is_empty(target, error) || error)
    throw Error(RH_IO_ERROR, shown(target) + ": is not empty", "name a directory that is not there yet");
}

}  // namespace

PartialDirectory::PartialDirectory(const fs::path& target)
    : target_(whole(target)),
      root_(target_.parent_path() / ("." + target_.filename().string() + ".partial")) {
  require_free(target_);
  make_directories(root_);
  const fs::path lock = root_ / "lock";
  File file(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) throw_system(shown(root_), errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    throw Error(RH_IO_ERROR, shown(target_) + ": another process is making it");
  lock_ = std::move(file);
  std::error_code error;
  fs::remove_all(path(), error);
  if (error) throw_system(shown(path()), error.value());
  make_directories(path());
}

PartialDirectory::~PartialDirectory() {
  std::error_code ignored;
  if (lock_) fs::remove_all(root_, ignored);
}

void PartialDirectory::finish() {
  require_free(target_);
  sync_directory(path());
  rename_file(path(), target_);
  sync_directory(target_.parent_path());
}

}  // namespace roundhouse::host
