// SPDX-License-Identifier: Apache-2.0
#include "engines/convert/copy_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <vector>

#include "engines/tensor/error.h"

namespace engines::conversion {
namespace {

constexpr std::size_t kPiece = std::size_t{32} << 20;
constexpr std::size_t kBuffer = std::size_t{1} << 20;

[[noreturn]] void fail(const std::string& shown) {
  const bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;
  throw Error(full ? RH_INSUFFICIENT_STORAGE : RH_IO_ERROR,
              "file '" + shown + "': " + std::generic_category().message(errno));
}

// Closed at the end of its life.
class Descriptor {
 public:
  Descriptor(int value, const std::string& shown) : value_(value) {
    if (value_ < 0) fail(shown);
  }
  ~Descriptor() { ::close(value_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

// Bytes copied by way of memory; 0 at the end.
ssize_t copy_some(int from, int to, std::vector<char>& buffer) {
  const ssize_t got = ::read(from, buffer.data(), buffer.size());
  for (ssize_t done = 0; done < got;) {
    const ssize_t put = ::write(to, buffer.data() + done, static_cast<std::size_t>(got - done));
    if (put < 0 && errno != EINTR) return -1;
    if (put > 0) done += put;
  }
  return got;
}

}  // namespace

void copy_file(const std::filesystem::path& from, const std::filesystem::path& to, const std::string& shown,
               const std::function<void()>& step) {
  const Descriptor source(::open(from.c_str(), O_RDONLY | O_CLOEXEC), shown);
  const Descriptor target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644), shown);
  std::vector<char> buffer;
  for (;;) {
    step();
    ssize_t copied = -1;
    if (buffer.empty()) {
      copied = ::copy_file_range(source.get(), nullptr, target.get(), nullptr, kPiece, 0);
      // Not between these two file systems, or not at all.
      if (copied < 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP))
        buffer.resize(kBuffer);
    }
    if (!buffer.empty()) copied = copy_some(source.get(), target.get(), buffer);
    if (copied == 0) break;
    if (copied < 0 && errno != EINTR) fail(shown);
  }
  if (::fsync(target.get()) != 0 && errno != EINVAL) fail(shown);
}

}  // namespace engines::conversion
