// SPDX-License-Identifier: Apache-2.0
// Safetensors files, mapped into memory and copied only to be quantised.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/tensor/tensor.h"
#include "engines/threading/thread_pool.h"
#include "engines/weights/mapped_file.h"

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
  // Gives back the memory that a range of a tensor's data has in the page tables; see MappedFile::forget.
  void forget(const std::byte* first, std::size_t bytes) const;
  const MappedFile& file() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// How a model's large matrices are held.
struct WeightOptions {
  std::optional<Dtype> matrices{};  // q8_0 or q4_0: what `matrix` rounds to; none: as stored
  ThreadPool* pool = nullptr;       // shares that work; must outlive the calls of `matrix`
  // `matrix` rounds nothing and gives what is stored, but main_dtype and total_bytes count as if it had: what
  // a model would take, from headers alone.
  bool plan_only = false;
};

// Whether `matrix` rounds a weight: stored as floats, two-dimensional, rows of whole blocks, and 65536
// elements or more, below which nothing is won.
bool worth_quantising(const WeightView& weight);

// The weights of one component folder: <stem>.safetensors, or the shards of <stem>.safetensors.index.json.
// Lookups say what a model expects, and a difference is MODEL_INVALID with the tensor's name, both shapes and
// the file.
class WeightSet {
 public:
  // `folder` is e.g. <model>/transformer, `stem` "diffusion_pytorch_model" (or "model" for a text encoder).
  // All shards that the index names must exist (WEIGHTS_MISSING names every absent one); a shard name with
  // '/' or '..' is UNSAFE_NAME. Only headers are read.
  WeightSet(const std::filesystem::path& folder, const std::string& stem, const WeightOptions& options = {});

  // The tensor of exactly that shape, valid as long as this set. A missing one is MODEL_INVALID with its
  // name.
  const WeightView& get(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // The same for the matrices that a model multiplies with: rounded to options.matrices where it is
  // worth_quantising, when it is first asked for; the set then owns the memory, one allocation aligned to 64
  // bytes. What was read from the file meanwhile is given back piece by piece. A weight that is not finite,
  // or too great for the type, is MODEL_INVALID by name and element; OUT_OF_MEMORY. Not for several threads
  // at once.
  const WeightView& matrix(std::string_view name, const std::vector<std::int64_t>& shape);
  // As floats, for small vectors.
  std::vector<float> floats(std::string_view name, const std::vector<std::int64_t>& shape) const;
  bool contains(std::string_view name) const;

  // Gives back the memory that all mapped weights, or those of one view, have in the page tables: they are
  // read again when they are used. Rounded matrices stay. Any thread.
  void forget() const;
  void forget(const WeightView& view) const;
  // Says that a mapped view is needed soon. Any thread.
  void prefetch(const WeightView& view) const;

  // All bytes as held of the tensors whose names begin so.
  std::uint64_t bytes_under(std::string_view prefix) const;
  // The type that most bytes are held in, and all bytes, those of rounded matrices as they are now: for
  // reports.
  Dtype main_dtype() const;
  std::uint64_t total_bytes() const;

 private:
  // A rounded matrix; without memory when it is only planned.
  struct Held {
    struct Free {
      void operator()(std::byte* p) const { std::free(p); }
    };
    std::unique_ptr<std::byte[], Free> memory;
    WeightView view;
  };

  void open_shards(const std::filesystem::path& folder, const std::string& index_name);
  void add(const SafetensorsFile& file);
  const SafetensorsFile& file_of(std::string_view name) const;
  Held quantised(const SafetensorsFile& file, std::string_view name, const WeightView& stored) const;

  WeightOptions options_;
  std::string shown_;  // the folder in messages
  std::vector<SafetensorsFile> files_;
  std::unordered_map<std::string, const WeightView*> tensors_;
  std::unordered_map<std::string, Held> held_;  // by the name of the tensor that was rounded
};

}  // namespace engines
