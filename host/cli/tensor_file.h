// SPDX-License-Identifier: Apache-2.0
// Files of `roundhouse dump` and `parity`: what the stages of a run computed, as safetensors.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/store/file.h"
#include "host/task/trace_tensor.h"

namespace roundhouse::host {

using TensorTexts = std::map<std::string, std::string>;  // __metadata__

// A file that is being written. What is not finished is removed.
class TensorFileWriter {
 public:
  // Throws IO_ERROR where there is such a file already, or none can be made.
  TensorFileWriter(std::filesystem::path file, TensorTexts texts);
  ~TensorFileWriter();
  TensorFileWriter(const TensorFileWriter&) = delete;
  TensorFileWriter& operator=(const TensorFileWriter&) = delete;

  void add(const TraceTensor& tensor);
  void finish();

 private:
  std::filesystem::path file_;
  File opened_;
  nlohmann::ordered_json header_;
  std::size_t header_bytes_;   // that are kept free for it: it is known last and comes first
  std::uint64_t written_ = 0;  // bytes of data
  bool finished_ = false;
};

// A file that somebody made: nothing in it is believed.
class TensorFileReader {
 public:
  // Reads the header. Throws IO_ERROR, MODEL_INVALID naming the file and the tensor.
  explicit TensorFileReader(const std::filesystem::path& file);

  const TensorTexts& texts() const { return texts_; }
  const std::vector<std::string>& names() const { return names_; }  // in the order of their data
  // None: there is none of that name. F32 and I32 only: MODEL_INVALID for others, IO_ERROR.
  std::optional<TraceTensor> read(const std::string& name) const;

 private:
  struct Entry {
    std::string dtype;
    std::vector<std::uint64_t> shape;
    std::uint64_t begin = 0, end = 0;
  };
  std::string shown_;
  File opened_;
  TensorTexts texts_;
  std::map<std::string, Entry> entries_;
  std::vector<std::string> names_;
  std::uint64_t data_ = 0;
};

}  // namespace roundhouse::host
