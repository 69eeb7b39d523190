// SPDX-License-Identifier: Apache-2.0
// The bytes of a file that is being written: header, then tensors, each padded to the alignment.
#include "engines/weights/tensor_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <set>
#include <system_error>
#include <utility>

#include "engines/weights/json_file.h"

namespace engines {
namespace {

std::uint64_t padded(std::uint64_t bytes, std::uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

}  // namespace

std::uint64_t TensorSpec::bytes() const {
  std::int64_t elements = 1;
  for (const auto size : shape)
    elements *= size;
  return static_cast<std::uint64_t>(bytes_of(dtype, elements));
}

TensorWriter::TensorWriter(const std::filesystem::path& file, std::string header,
                           std::vector<TensorSpec> tensors, std::uint64_t alignment)
    : shown_(shown_path(file)), tensors_(std::move(tensors)), alignment_(alignment) {
  std::set<std::string_view> names;
  std::uint64_t size = header.size();
  for (const auto& tensor : tensors_) {
    if (!names.insert(tensor.name).second)
      throw Error(RH_CONVERSION_FAILED, shown_ + ": tensor " + in_quotes(tensor.name) + " comes twice");
    size += padded(tensor.bytes(), alignment);
  }
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (descriptor_ < 0) fail(errno);
  // Space for all of it, so that a full disk is known now; a file system that cannot promise says so.
  if (size > 0 && ::fallocate(descriptor_, FALLOC_FL_KEEP_SIZE, 0, static_cast<off_t>(size)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG)) {
    const int why = errno;
    ::close(std::exchange(descriptor_, -1));
    fail(why);
  }
  try {
    put(reinterpret_cast<const std::byte*>(header.data()), header.size());
  } catch (...) {
    ::close(std::exchange(descriptor_, -1));
    throw;
  }
  skip_empty();
}

TensorWriter::~TensorWriter() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

TensorWriter::TensorWriter(TensorWriter&& other) noexcept
    : shown_(std::move(other.shown_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      tensors_(std::move(other.tensors_)),
      alignment_(other.alignment_),
      current_(other.current_),
      written_(other.written_) {
}

void TensorWriter::fail(int why) const {
  const bool full = why == ENOSPC || why == EDQUOT || why == EFBIG;
  throw Error(full ? RH_INSUFFICIENT_STORAGE : RH_IO_ERROR,
              shown_ + ": " + std::generic_category().message(why));
}

void TensorWriter::put(const std::byte* data, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t count = ::write(descriptor_, data, bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail(count < 0 ? errno : EIO);
    data += count;
    bytes -= static_cast<std::size_t>(count);
  }
}

void TensorWriter::skip_empty() {
  while (current_ < tensors_.size() && tensors_[current_].bytes() == written_) {
    static constexpr std::array<std::byte, 64> zeros{};
    put(zeros.data(), padded(written_, alignment_) - written_);
    ++current_;
    written_ = 0;
  }
}

void TensorWriter::write(const std::byte* data, std::size_t bytes) {
  if (bytes == 0) return;
  if (current_ == tensors_.size() || bytes > tensors_[current_].bytes() - written_)
    throw Error(RH_CONVERSION_FAILED,
                shown_ + ": more data than the " +
                    (current_ == tensors_.size() ? std::string("tensors have")
                                                 : "tensor " + in_quotes(tensors_[current_].name) + " has"));
  put(data, bytes);
  written_ += bytes;
  skip_empty();
}

void TensorWriter::finish() {
  if (current_ != tensors_.size())
    throw Error(RH_CONVERSION_FAILED,
                fmt::format("{}: tensor {} has only {} of {} bytes", shown_,
                            in_quotes(tensors_[current_].name), written_, tensors_[current_].bytes()));
  if (::fsync(descriptor_) != 0 && errno != EINVAL && errno != EROFS) fail(errno);
  if (::close(std::exchange(descriptor_, -1)) != 0) fail(errno);
}

}  // namespace engines
