// SPDX-License-Identifier: Apache-2.0
// The weights of one component, mapped into memory and copied only to be quantised.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engines/threading/thread_pool.h"
#include "engines/weights/block_window.h"
#include "engines/weights/name_table.h"
#include "engines/weights/weight_file.h"

namespace engines {

// How a model's large matrices are held.
struct WeightOptions {
  // q8_0, q4_0, q4_K or q6_K: what `matrix` rounds to; none: as stored
  std::optional<Dtype> matrices{};
  ThreadPool* pool = nullptr;  // shares that work; must outlive the calls of `matrix`
  // `matrix` rounds nothing and gives what is stored, but main_dtype and total_bytes count as if it had: what
  // a model would take, from headers alone.
  bool plan_only = false;
};

// What `matrix` rounds a weight to: its own type when it is not two-dimensional or already quantised, else
// what choose_type (choose_type.h) says of a matrix.
Dtype rounded_type(const WeightView& weight, Dtype requested);

// The weights of one component folder: <stem>.safetensors, the shards of <stem>.safetensors.index.json, or
// <stem>.gguf. Lookups say what a model expects, and a difference is MODEL_INVALID with the tensor's name,
// both shapes and the file.
class WeightSet {
 public:
  // `folder` is e.g. <model>/transformer, `stem` "diffusion_pytorch_model" (or "model" for a text encoder);
  // `names` says what else files call the model's tensors. All shards that the index names must exist
  // (WEIGHTS_MISSING names every absent one); a shard name with '/' or '..' is UNSAFE_NAME; weights in both
  // formats are MODEL_INVALID. Only headers are read.
  WeightSet(const std::filesystem::path& folder, const std::string& stem, const WeightOptions& options = {},
            const NameTable& names = {});

  // The tensor of exactly that shape, valid as long as this set. A missing one is MODEL_INVALID with its
  // name.
  const WeightView& get(std::string_view name, const std::vector<std::int64_t>& shape) const;
  // The same for the matrices that a model multiplies with: rounded to options.matrices where rounded_type
  // says so, when it is first asked for; the set then owns the memory, one allocation aligned to 64 bytes.
  // What was read from the file meanwhile is given back piece by piece. A weight that is not finite, or too
  // great for the type, is MODEL_INVALID by name and element; OUT_OF_MEMORY. Not for several threads at once.
  const WeightView& matrix(std::string_view name, const std::vector<std::int64_t>& shape);
  // As floats, for small vectors. In GGUF files dimensions of 1 may be missing.
  std::vector<float> floats(std::string_view name, const std::vector<std::int64_t>& shape) const;
  bool contains(std::string_view name) const;
  // The model's names of all tensors, sorted, and one that can be read, whatever its shape; null when there
  // is none. For who copies weights from file to file.
  std::vector<std::string> names() const;
  const WeightView* find(std::string_view name) const;

  // Gives back the memory that all mapped weights, or those of one view, have in the page tables: they are
  // read again when they are used. Rounded matrices stay. Any thread.
  void forget() const;
  void forget(const WeightView& view) const;
  // Says that a mapped view is needed soon. Any thread.
  void prefetch(const WeightView& view) const;

  // All bytes as held of the tensors whose names begin so.
  std::uint64_t bytes_under(std::string_view prefix) const;
  // What the tensors named <prefix>0., <prefix>1., ... take as held: the largest of `count` such blocks for
  // each, as files may mix types, and `rest` bytes beside them.
  BlockRow block_row(const std::string& prefix, std::size_t count, std::uint64_t rest) const;
  // The type that most bytes are held in, and all bytes, those of rounded matrices as they are now: for
  // reports.
  Dtype main_dtype() const;
  std::uint64_t total_bytes() const;
  // Whether `matrix` has rounded something, or would have.
  bool makes_copies() const { return !held_.empty(); }

 private:
  // A tensor of the model where it lies: all of a stored tensor, or some of its rows.
  struct Stored {
    std::size_t file;         // of files_
    std::string stored_name;  // in that file
    std::string type;         // as the format writes it
    std::uint64_t bytes;
    std::optional<WeightView> view;  // of what products can read
  };
  // A rounded matrix; without memory when it is only planned.
  struct Held {
    struct Free {
      void operator()(std::byte* p) const { std::free(p); }
    };
    std::unique_ptr<std::byte[], Free> memory;
    WeightView view;
  };
  using Tensors = std::map<std::string, Stored, std::less<>>;

  void open_shards(const std::filesystem::path& folder, const std::string& index_name);
  void add(std::size_t file, const NameTable& names);
  void add(std::size_t file, const std::string& stored_name, const NameTable::Meaning& meaning);
  const Stored& stored(std::string_view name) const;
  const WeightView& readable(std::string_view name) const;
  std::string where(std::string_view name, const Stored& stored) const;
  std::uint64_t bytes_held(const Tensors::value_type& tensor) const;
  Held quantised(std::string_view name, const WeightView& stored, Dtype dtype) const;

  WeightOptions options_;
  std::string shown_;  // the folder in messages
  std::vector<std::unique_ptr<WeightFile>> files_;
  bool gguf_ = false;  // the format that drops dimensions of 1
  Tensors tensors_;
  std::unordered_map<std::string, Held> held_;  // by the name of the tensor that was rounded
};

}  // namespace engines
