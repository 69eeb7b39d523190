// SPDX-License-Identifier: Apache-2.0
// Writing files of tensors, piece by piece: no model is ever in memory. The same input gives the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engines/tensor/dtype.h"
#include "engines/weights/gguf_metadata.h"

namespace engines {

struct TensorSpec {
  std::string name;
  Dtype dtype = Dtype::f32;
  std::vector<std::int64_t> shape;  // row-major; rows of quantised types are whole blocks

  std::uint64_t bytes() const;
};

// The key-values of a GGUF file, in the order in which they are given; a key that was given is not given
// again.
class GgufKeys {
 public:
  void add(std::string_view key, std::string_view text);
  void add(std::string_view key, const char* text) { add(key, std::string_view(text)); }
  void add(std::string_view key, bool value);
  void add(std::string_view key, std::uint32_t value);
  void add(std::string_view key, float value);
  void add(std::string_view key, const std::vector<std::string>& texts);
  void add(std::string_view key, const std::vector<std::int32_t>& numbers);
  void add(std::string_view key, const GgufValue& value);  // of another file, as it is

  std::uint64_t count() const { return count_; }
  const std::string& bytes() const { return bytes_; }  // as they stand in a file

 private:
  void begin(std::string_view key, std::uint32_t kind);

  std::string bytes_;
  std::uint64_t count_ = 0;
};

// A file that is being written, from its header to the end. CONVERSION_FAILED for what the format cannot say,
// INSUFFICIENT_STORAGE when the disk is full (asked for at once, where the file system can tell), IO_ERROR.
// One thread. A file that is not finished stays behind: who gave the path removes it.
class TensorWriter {
 public:
  // GGUF, version 3: tensors in the order given, data aligned to 32 bytes. Names have at most 64 bytes.
  static TensorWriter gguf(const std::filesystem::path& file, const GgufKeys& keys,
                           std::vector<TensorSpec> tensors);
  // Safetensors: tensors of larger elements first, then by name, the header padded with spaces to a multiple
  // of
  // 8. Quantised types are CONVERSION_FAILED. `metadata` becomes __metadata__, when there is any.
  static TensorWriter safetensors(const std::filesystem::path& file, std::vector<TensorSpec> tensors,
                                  const std::map<std::string, std::string>& metadata = {});
  ~TensorWriter();
  TensorWriter(TensorWriter&&) noexcept;
  TensorWriter& operator=(TensorWriter&&) = delete;

  // In the order in which their data is to come.
  const std::vector<TensorSpec>& tensors() const { return tensors_; }
  // More of the current tensor's data, in pieces of any size; when it is complete the next one is current.
  void write(const std::byte* data, std::size_t bytes);
  // All data is there; writes what is buffered and waits for the disk.
  void finish();

 private:
  TensorWriter(const std::filesystem::path& file, std::string header, std::vector<TensorSpec> tensors,
               std::uint64_t alignment);
  void skip_empty();
  void put(const std::byte* data, std::size_t bytes);
  [[noreturn]] void fail(int why) const;

  std::string shown_;
  int descriptor_ = -1;
  std::vector<TensorSpec> tensors_;
  std::uint64_t alignment_;
  std::size_t current_ = 0;    // of tensors_
  std::uint64_t written_ = 0;  // of the current tensor
};

}  // namespace engines
