// SPDX-License-Identifier: Apache-2.0
// Other names that a model's tensors go by in files: tables, not conditions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace engines {

// Replaces the first place of `from` in a stored name; '^' in front of it: at the beginning only, and then a
// '*' in it stands for one or more characters without a dot.
struct NameRule {
  std::string from;
  // What the model calls it. None: the model has no such tensor. Several: the tensor holds these one above
  // the other, of equally many rows each.
  std::vector<std::string> to;
  bool squeeze = false;  // dimensions of 1 behind the first two are dropped: a convolution of one pixel
};

// Where a tensor of the model lies in a file.
struct StoredName {
  std::string name;
  std::size_t part = 0, parts = 1;  // of the stored tensor's rows
};

// Rules are applied in order, each to what the ones before it gave; a name that none knows stays as it is.
class NameTable {
 public:
  struct Meaning {
    std::vector<std::string> names;  // none: ignored
    bool squeeze = false;
  };

  NameTable() = default;
  explicit NameTable(std::vector<NameRule> rules) : rules_(std::move(rules)) {}

  // What the model calls a stored tensor.
  Meaning meaning(std::string_view stored) const;
  // What the table's files call a tensor of the model: the rules backwards, but for those that name nothing.
  StoredName stored(std::string_view name) const;

 private:
  std::vector<NameRule> rules_;
};

// GGUF files of the llama architecture hold the rows of q and k for rotary embeddings of neighbouring pairs:
// row head * size + 2 i + s is row head * size + s * size / 2 + i of the model's own. Returns where row `row`
// of the model's matrix lies in the file.
std::int64_t row_for_neighbouring_pairs(std::int64_t row, std::int64_t head_size);

}  // namespace engines
