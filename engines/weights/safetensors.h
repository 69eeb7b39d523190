// SPDX-License-Identifier: Apache-2.0
// Safetensors files, mapped into memory and never copied.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/tensor/tensor.h"

namespace engines {

// One mapped .safetensors file. Views live as long as this object. The header is checked completely on
// opening: size, JSON, duplicate keys, dtypes, shapes (products without overflow), offsets (inside the file,
// in order, not overlapping, no gaps). Throws MODEL_INVALID naming file and tensor, IO_ERROR, or
// WEIGHTS_MISSING when there is no such file.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::filesystem::path& path);
  ~SafetensorsFile();
  SafetensorsFile(SafetensorsFile&&) noexcept;
  SafetensorsFile& operator=(SafetensorsFile&&) noexcept;

  // A tensor of dtype F32, BF16 or F16, or null when there is none of that name. A tensor of another dtype
  // (I64, U8, ...) is known to `raw` only.
  const WeightView* find(std::string_view name) const;

  struct Raw {
    std::string dtype;  // as written in the header: "F32", "I32", "U8", ...
    std::vector<std::int64_t> shape;
    const std::byte* data;
    std::size_t bytes;
  };
  const Raw* raw(std::string_view name) const;
  std::vector<std::string> names() const;  // sorted
  const std::string& shown() const;        // the path in messages: "transformer/model.safetensors"

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The weights of one component folder: <stem>.safetensors, or the shards of <stem>.safetensors.index.json.
// Lookups say what a model expects, and a difference is MODEL_INVALID with the tensor's name, both shapes and
// the file.
class WeightSet {
 public:
  // `folder` is e.g. <model>/transformer, `stem` "diffusion_pytorch_model" (or "model" for a text encoder).
  // All shards that the index names must exist (WEIGHTS_MISSING names every absent one); a shard name with
  // '/' or '..' is UNSAFE_NAME.
  WeightSet(const std::filesystem::path& folder, const std::string& stem);

  // The tensor of exactly that shape, valid as long as this set. A missing one is MODEL_INVALID with its
  // name.
  const WeightView& get(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // As floats, for small vectors.
  std::vector<float> floats(std::string_view name, const std::vector<std::int64_t>& shape) const;
  bool contains(std::string_view name) const;

  // The type that most bytes are stored in, and all bytes: for reports.
  Dtype main_dtype() const;
  std::uint64_t total_bytes() const;

 private:
  void open_shards(const std::filesystem::path& folder, const std::string& index_name);
  void add(const SafetensorsFile& file);
  const SafetensorsFile& file_of(std::string_view name) const;

  std::string shown_;  // the folder in messages
  std::vector<SafetensorsFile> files_;
  std::unordered_map<std::string, const WeightView*> tensors_;
};

}  // namespace engines
