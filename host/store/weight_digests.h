// SPDX-License-Identifier: Apache-2.0
// Digests of the tensors of a safetensors or GGUF file, so that damage can be told by name.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/digest.h"

namespace roundhouse::host {

struct TensorRecord {
  std::string name, dtype;
  std::vector<std::uint64_t> shape;
  std::uint64_t begin = 0, end = 0;  // bytes in the file
  Digest digest;
};

// What a file of weights held when it was taken in.
struct WeightRecord {
  std::uint64_t header_bytes = 0;  // all that is before the tensors
  Digest header;
  std::vector<TensorRecord> tensors;  // by begin
};

// Takes a file in pieces, from its start to its end, and gives its record.
class WeightDigests {
 public:
  // Whether a file of that name is worth it.
  static bool apply_to(const std::string& path);

  void update(std::string_view bytes);
  // None for what is neither format, and for a file whose tensors overlap or lie beyond its end.
  std::optional<WeightRecord> finish();

 private:
  struct Range {
    std::string name, dtype;
    std::vector<std::uint64_t> shape;
    std::uint64_t begin = 0, end = 0;
  };
  bool take_until(std::string_view& bytes, std::uint64_t size);
  void take_header(std::string_view& bytes);
  void take_gguf(bool at_end);
  bool read_header();
  void take_data(std::string_view bytes);
  void end_tensors();

  bool usable_ = true, gguf_ = false, ready_ = false;  // ready: the header was read
  std::string header_;                                 // and of a GGUF, what was read with it
  std::uint64_t header_bytes_ = 0;                     // 0: not known yet
  std::size_t tried_ = 0;                              // bytes of the last attempt to read a GGUF's
  std::uint64_t offset_ = 0;                           // in the file, of what comes next
  std::vector<Range> ranges_;
  std::size_t current_ = 0;
  Sha256 hash_;  // of the current tensor
  std::vector<TensorRecord> tensors_;
};

}  // namespace roundhouse::host
