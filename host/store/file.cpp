// SPDX-License-Identifier: Apache-2.0
#include "host/store/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "host/log/reason.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 1 << 20;

}  // namespace

void throw_system(const std::string& what, int error_number) {
  const bool full = error_number == ENOSPC || error_number == EDQUOT || error_number == EFBIG;
  throw Error(full ? RH_INSUFFICIENT_STORAGE : RH_IO_ERROR, what + ": " + reason(error_number));
}

File::~File() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

File open_for_reading(const fs::path& path, const std::string& shown, bool follow) {
  File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | (follow ? 0 : O_NOFOLLOW)));
  if (!file && errno == ELOOP && !follow) throw Error(RH_IO_ERROR, shown + ": is a symbolic link");
  if (!file) throw_system(shown, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_system(shown, errno);
  if (!S_ISREG(status.st_mode)) throw Error(RH_IO_ERROR, shown + ": is not a regular file");
  return file;
}

File create_file(const fs::path& path) {
  File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) throw_system("file '" + path.string() + "'", errno);
  return file;
}

std::uint64_t file_size(const File& file, const std::string& shown) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_system(shown, errno);
  return static_cast<std::uint64_t>(status.st_size);
}

void reserve_space(const File& file, std::uint64_t size, const std::string& shown) {
  if (size == 0) return;
  while (::fallocate(file.get(), 0, 0, static_cast<off_t>(size)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS) return;
    throw_system(shown, errno);
  }
}

void write_all(const File& file, std::string_view bytes, const std::string& shown) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file.get(), bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_system(shown, errno);
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
}

void read_pieces(const File& file, const std::string& shown,
                 const std::function<bool(std::string_view)>& piece) {
  std::vector<char> buffer(kPieceBytes);
  for (off_t offset = 0;;) {
    const ssize_t count = ::pread(file.get(), buffer.data(), buffer.size(), offset);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_system(shown, errno);
    if (count == 0 || !piece({buffer.data(), static_cast<std::size_t>(count)})) return;
    offset += count;
  }
}

void sync_file(const File& file, const std::string& shown) {
  if (::fsync(file.get()) != 0) throw_system(shown, errno);
}

void sync_directory(const fs::path& directory) {
  const File file(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!file) throw_system("directory '" + directory.string() + "'", errno);
  // Some file systems know no such call for directories, and need none.
  if (::fsync(file.get()) != 0 && errno != EINVAL)
    throw_system("directory '" + directory.string() + "'", errno);
}

void rename_file(const fs::path& from, const fs::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_system("file '" + to.string() + "'", errno);
}

void make_directories(const fs::path& directory) {
  std::error_code error;
  fs::create_directories(directory, error);
  if (error) throw_system("directory '" + directory.string() + "'", error.value());
}

std::uint64_t free_bytes(const fs::path& directory) {
  struct statvfs status {};
  if (::statvfs(directory.c_str(), &status) != 0)
    throw_system("directory '" + directory.string() + "'", errno);
  return std::uint64_t{status.f_bavail} * status.f_frsize;
}

}  // namespace roundhouse::host
