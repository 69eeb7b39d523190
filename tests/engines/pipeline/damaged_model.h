// SPDX-License-Identifier: Apache-2.0
// Copies of the fixture models that a test may damage.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/tensor/error.h"

namespace engines::test {

// A copy of a directory in the temporary folder, removed at the end.
class ModelCopy {
 public:
  explicit ModelCopy(const std::filesystem::path& original);
  ~ModelCopy();
  ModelCopy(const ModelCopy&) = delete;
  ModelCopy& operator=(const ModelCopy&) = delete;

  std::filesystem::path path() const { return path_; }
  void remove(const std::string& file) const;
  void replace(const std::string& component, const std::filesystem::path& with) const;
  void truncate(const std::string& file, std::uintmax_t bytes_less) const;
  // Sets a field of a JSON file; a null removes it.
  void set(const std::string& file, const std::string& field, const nlohmann::json& value) const;
  // Overwrites the first bytes of a tensor's data in a safetensors file.
  void overwrite(const std::string& file, const std::string& tensor,
                 const std::vector<std::uint8_t>& bytes) const;
  // Takes a prefix off the names of all tensors of a component's shards and off its index.
  void strip_prefix(const std::string& component, const std::string& prefix) const;

 private:
  std::filesystem::path path_;
};

// Passes when `act` throws Error of that code whose message contains `part`.
testing::AssertionResult throws_error(rh_status code, const std::string& part,
                                      const std::function<void()>& act);

}  // namespace engines::test
