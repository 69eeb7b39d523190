// SPDX-License-Identifier: Apache-2.0
// A mapped file of named tensors, whatever its format.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/tensor/tensor.h"
#include "engines/weights/mapped_file.h"

namespace engines {

// Views live as long as this object. Any thread.
class WeightFile {
 public:
  virtual ~WeightFile();
  WeightFile(WeightFile&&) noexcept;
  WeightFile& operator=(WeightFile&&) noexcept;

  // A tensor of a type that products can read (dtype.h), or null when there is none of that name. A tensor of
  // another type (integers, ...) is known to `raw` only.
  const WeightView* find(std::string_view name) const;

  struct Raw {
    std::string dtype;  // as the format writes it: "F32", "I32", "U8", "Q4_K", ...
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

 protected:
  // Maps the file; see MappedFile for errors.
  explicit WeightFile(const std::filesystem::path& path);
  void add(const std::string& name, Raw raw, std::optional<Dtype> dtype);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace engines
