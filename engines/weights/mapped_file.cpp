// SPDX-License-Identifier: Apache-2.0
// Mapping a file, and saying what is wrong with it otherwise.
#include "engines/weights/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <cstdint>
#include <system_error>

#include "engines/tensor/error.h"

namespace engines {
namespace {

// What a clone without Git LFS has in place of a large file begins so.
constexpr std::string_view kLfsPointer = "version https://git-lfs.github.com/spec/";

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail_with_errno(const std::string& shown) {
  const int why = errno;
  if (why == ENOENT || why == ENOTDIR) throw Error(RH_WEIGHTS_MISSING, "missing " + shown);
  throw Error(RH_IO_ERROR, shown + ": " + std::generic_category().message(why));
}

}  // namespace

MappedFile::MappedFile(const std::filesystem::path& path, const std::string& shown) {
  // O_NONBLOCK: opening a pipe must not wait for a writer.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) fail_with_errno(shown);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_with_errno(shown);
  if (!S_ISREG(status.st_mode)) throw Error(RH_MODEL_INVALID, shown + ": is not a regular file");
  if (status.st_size == 0) return;
  const auto size = static_cast<std::size_t>(status.st_size);
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail_with_errno(shown);
  data_ = static_cast<const std::byte*>(address);
  size_ = size;
  if (!text().starts_with(kLfsPointer)) return;
  ::munmap(address, size);
  throw Error(RH_WEIGHTS_MISSING, shown + ": is a pointer of Git LFS, not the file itself");
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::forget(const std::byte* first, std::size_t bytes) const {
  assert(first >= data_ && bytes <= size_ - static_cast<std::size_t>(first - data_));
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  const auto address = reinterpret_cast<std::uintptr_t>(first);
  const std::size_t before = (page - address % page) % page;
  if (bytes < before + page) return;
  const std::size_t whole = (bytes - before) / page * page;
  // A refusal costs memory, not correctness.
  static_cast<void>(::madvise(const_cast<std::byte*>(first) + before, whole, MADV_DONTNEED));
}

void MappedFile::prefetch(const std::byte* first, std::size_t bytes) const {
  const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  const std::uintptr_t before = reinterpret_cast<std::uintptr_t>(first) % page;
  static_cast<void>(::madvise(const_cast<std::byte*>(first) - before, bytes + before, MADV_WILLNEED));
}

}  // namespace engines
