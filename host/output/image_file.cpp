// SPDX-License-Identifier: Apache-2.0
// Files that appear complete or not at all, and never in the place of another.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <optional>
#include <span>

#include "host/output/image_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) {
  std::array<char, 128> buffer{};
  std::string text = strerror_r(error, buffer.data(), buffer.size());  // GNU's: returns the text
  if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

[[noreturn]] void fail(const fs::path& directory, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  throw Error(full ? RH_INSUFFICIENT_STORAGE : RH_IO_ERROR,
              "output directory '" + directory.string() + "': " + reason(error));
}

[[noreturn]] void fail(const fs::path& directory, const std::string& what) {
  throw Error(RH_IO_ERROR, "output directory '" + directory.string() + "': " + what);
}

// A file that is being written. Nameless where the file system can do that (O_TMPFILE), so that even a killed
// process leaves nothing; else under a hidden name, which the destructor removes.
class UnpublishedFile {
 public:
  // `shown` is what errors call the directory.
  UnpublishedFile(const fs::path& directory, const fs::path& shown) : directory_(directory), shown_(shown) {
    fd_ = open(directory.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
    if (fd_ >= 0) return;
    // EISDIR, EOPNOTSUPP and EINVAL: not known to this kernel or file system. Others are the real reason.
    if (errno != EISDIR && errno != EOPNOTSUPP && errno != EINVAL) fail(shown, errno);
    open_named();
  }
  ~UnpublishedFile() {
    if (fd_ >= 0) close(fd_);
    if (!name_.empty()) unlink(name_.c_str());
  }
  UnpublishedFile(const UnpublishedFile&) = delete;
  UnpublishedFile& operator=(const UnpublishedFile&) = delete;

  void write(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
      const ssize_t count = ::write(fd_, bytes.data(), bytes.size());
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) fail(shown_, errno);
      bytes = bytes.subspan(static_cast<std::size_t>(count));
    }
    // Space that a file system promised but cannot give shows here, and the name never outlives the content.
    if (fdatasync(fd_) != 0 && errno != EINVAL) fail(shown_, errno);
  }

  // Gives the file its name; false when that name is taken.
  bool publish(const fs::path& target) {
    int result = 0;
    if (name_.empty()) {
      const std::string self = fmt::format("/proc/self/fd/{}", fd_);
      result = linkat(AT_FDCWD, self.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW);
    } else {
      result = renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE);
      if (result != 0 && (errno == EINVAL || errno == ENOSYS))
        result = link(name_.c_str(), target.c_str());
      else if (result == 0)
        name_.clear();
    }
    if (result == 0) return true;
    if (errno == EEXIST) return false;
    fail(shown_, errno);
  }

 private:
  void open_named() {
    for (unsigned attempt = 0; attempt < 1000; ++attempt) {
      const fs::path name = directory_ / (fmt::format(".roundhouse-{}-{}.tmp", getpid(), attempt));
      fd_ = open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
      if (fd_ >= 0) {
        name_ = name;
        return;
      }
      if (errno != EEXIST) fail(shown_, errno);
    }
    fail(shown_, EEXIST);
  }

  fs::path directory_, shown_;
  fs::path name_;  // empty while nameless
  int fd_ = -1;
};

// The directory itself, or its nearest ancestor that exists in any form (a dangling link does).
fs::path nearest_existing(const fs::path& directory) {
  fs::path path = directory;
  for (;;) {
    struct stat status {};
    if (lstat(path.c_str(), &status) == 0) return path;
    if (errno == ENOTDIR || errno == ENOENT) {
      const fs::path parent = path.has_parent_path() ? path.parent_path() : fs::path(".");
      if (parent == path) fail(directory, ENOENT);
      path = parent;
      continue;
    }
    fail(directory, errno);  // EACCES, ELOOP, ENAMETOOLONG
  }
}

std::string stamp(std::chrono::system_clock::time_point time) {
  const std::time_t seconds =
      std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y%m%d-%H%M%S", &utc);
  return text.data();
}

}  // namespace

void check_output_directory(const fs::path& directory) {
  if (directory.empty()) fail(directory, std::string("is empty, expected the name of a directory"));
  const fs::path existing = nearest_existing(directory);
  struct stat status {};
  if (stat(existing.c_str(), &status) != 0) {
    fail(directory,
         errno == ENOENT ? "'" + existing.string() + "' is a link that leads nowhere" : reason(errno));
  }
  if (!S_ISDIR(status.st_mode)) {
    fail(directory, "'" + existing.string() + "' is a file, expected a directory");
  }
  for (const fs::path& part : directory) {
    if (part.native().size() > 255) fail(directory, ENAMETOOLONG);
  }
  if (faccessat(AT_FDCWD, existing.c_str(), W_OK | X_OK, AT_EACCESS) != 0) fail(directory, errno);
  struct statvfs space {};
  if (statvfs(existing.c_str(), &space) == 0 && space.f_blocks != 0) {
    if (space.f_bavail == 0 || (space.f_files != 0 && space.f_favail == 0)) fail(directory, ENOSPC);
  }
  // For the superuser the mode bits say nothing: ask the file system itself. A nameless file is no write.
  const UnpublishedFile probe(existing, directory);
}

fs::path write_image(const fs::path& directory, const std::string& prefix,
                     std::chrono::system_clock::time_point time, unsigned first_index, ImageFormat format,
                     const std::vector<std::uint8_t>& bytes) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) fail(directory, error.value());
  UnpublishedFile file(directory, directory);
  file.write(bytes);
  const std::string stem = prefix + "-" + stamp(time) + "-";
  constexpr unsigned kAttempts = 1'000'000;
  for (unsigned i = 0; i < kAttempts; ++i) {
    const fs::path target = directory / (fmt::format("{}{}.{}", stem, first_index + i, extension_of(format)));
    if (file.publish(target)) return target;
  }
  fail(directory, "'" + stem + "*' has no free number");
}

}  // namespace roundhouse::host
