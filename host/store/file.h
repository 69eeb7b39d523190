// SPDX-License-Identifier: Apache-2.0
// Files and directories as the store uses them: owned descriptors, whole writes, durable renames, honest
// errors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace roundhouse::host {

// Throws "what: reason": INSUFFICIENT_STORAGE for a full disk, a quota or a limit on file sizes, else
// IO_ERROR.
[[noreturn]] void throw_system(const std::string& what, int error_number);

// An open file; closed at the end of its life.
class File {
 public:
  explicit File(int descriptor = -1) : descriptor_(descriptor) {}
  ~File();
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  File& operator=(File&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }

  int get() const { return descriptor_; }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

// A regular file for reading. With `follow` a symbolic link is followed. Throws IO_ERROR; a FIFO or device in
// its place is refused and does not hang.
File open_for_reading(const std::filesystem::path& path, const std::string& shown, bool follow);
// A new file for writing; there must be none of that name.
File create_file(const std::filesystem::path& path);

std::uint64_t file_size(const File& file, const std::string& shown);

// Takes the space for a whole file at once, so that a full disk is noticed before the first byte; where the
// file system cannot, nothing happens.
void reserve_space(const File& file, std::uint64_t size, const std::string& shown);

// All bytes. Throws INSUFFICIENT_STORAGE or IO_ERROR naming `shown`.
void write_all(const File& file, std::string_view bytes, const std::string& shown);

// Reads the file from its start in pieces until the end or until `piece` returns false.
void read_pieces(const File& file, const std::string& shown,
                 const std::function<bool(std::string_view)>& piece);

// Makes what was written survive a power cut.
void sync_file(const File& file, const std::string& shown);
void sync_directory(const std::filesystem::path& directory);

void rename_file(const std::filesystem::path& from, const std::filesystem::path& to);
void make_directories(const std::filesystem::path& directory);

// What an unprivileged process may still write there.
std::uint64_t free_bytes(const std::filesystem::path& directory);

}  // namespace roundhouse::host
