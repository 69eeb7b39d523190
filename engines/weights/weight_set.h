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
#include "engines/weights/float8.h"
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
  // name, one of a type that is not read CAPABILITY_UNSUPPORTED with type or format. What nobody asks for may
  // be anything. 8-bit floats become bf16, times their scales, when they are first asked for; the set then
  // owns the memory. Not for several threads at once.
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
  // Whether it lies beside the weights: a scale of 8-bit floats, a counter, a note in bytes.
  bool is_beside(std::string_view name) const;
  // With plan_only, makes a view that `find` gave of 8-bit floats hold its numbers until `drop`, or until all
  // are gone; nothing for other views. For who works on one tensor after another.
  void decode(const WeightView& view);
  void drop(const WeightView& view);

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
  // Whether the set owns something that was rounded or made of 8-bit floats, or would.
  bool makes_copies() const { return !held_.empty() || !decoded_.empty(); }

 private:
  // A tensor of the model where it lies: all of a stored tensor, or some of its rows.
  struct Stored {
    std::size_t file;         // of files_
    std::string stored_name;  // in that file
    std::string type;         // as the format writes it
    std::uint64_t bytes;
    const std::byte* data;
    std::vector<std::int64_t> shape;
    std::optional<WeightView> view;  // of what products can read
    std::string fault;               // why it cannot be used, or empty
  };
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };
  using Memory = std::unique_ptr<std::byte[], Free>;
  // A rounded matrix; without memory when it is only planned.
  struct Held {
    Memory memory;
    WeightView view;
  };
  using Tensors = std::map<std::string, Stored, std::less<>>;

  void open_shards(const std::filesystem::path& folder, const std::string& index_name);
  void add(std::size_t file, const NameTable& names);
  void add(std::size_t file, const std::string& stored_name, const NameTable::Meaning& meaning);
  Stored part_of(std::size_t file, const std::string& stored_name, const NameTable::Meaning& meaning,
                 std::size_t part) const;
  const Stored& stored(std::string_view name) const;
  const WeightView& readable(std::string_view name) const;
  [[noreturn]] void refuse_type(std::string_view name, const Stored& stored) const;
  [[noreturn]] void refuse_shape(std::string_view name, const Stored& stored,
                                 const std::vector<std::int64_t>& expected) const;
  std::string where(std::string_view name, const Stored& stored) const;
  std::uint64_t bytes_held(const Tensors::value_type& tensor) const;
  Held quantised(std::string_view name, const WeightView& stored, Dtype dtype) const;

  std::string block_format(std::string_view name, const Stored& tensor) const;
  std::vector<std::string> unknown_scales(std::string_view name) const;
  Float8Scales scales_of(std::string_view name, const Stored& tensor) const;
  static Memory zeros(std::size_t bytes);  // take no memory until they are written
  static Memory allocated(std::size_t bytes);
  Held made_of_float8(std::string_view name, const Stored& tensor) const;
  void fill(const Held& held, const Stored& tensor, const Float8Scales& scales) const;
  const WeightView& float8(std::string_view name, const Stored& tensor) const;
  const WeightView& float8_matrix(std::string_view name, const Stored& tensor);

  WeightOptions options_;
  std::string shown_;  // the folder in messages
  std::vector<std::unique_ptr<WeightFile>> files_;
  bool gguf_ = false;  // the format that drops dimensions of 1
  Tensors tensors_;
  std::unordered_map<std::string, Held> held_;             // by the name of the tensor that was rounded
  mutable std::unordered_map<std::string, Held> decoded_;  // of 8-bit floats
};

}  // namespace engines
