// SPDX-License-Identifier: Apache-2.0
// A file mapped into memory, read-only.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace engines {

// Owns the mapping. An empty file maps to no bytes. `shown` names the file in messages. WEIGHTS_MISSING when
// there is no such file, or a pointer of Git LFS in its place, MODEL_INVALID when it is a directory or a
// device, IO_ERROR when it cannot be read.
class MappedFile {
 public:
  MappedFile(const std::filesystem::path& path, const std::string& shown);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  // Tells the system that these bytes are not needed in memory now: whole pages among them are given back,
  // and read again when somebody looks. Any thread; contents never change.
  void forget(const std::byte* first, std::size_t bytes) const;
  // Tells the system that these bytes are needed soon. Any thread.
  void prefetch(const std::byte* first, std::size_t bytes) const;
  bool holds(const std::byte* first) const { return first >= data_ && first < data_ + size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace engines
