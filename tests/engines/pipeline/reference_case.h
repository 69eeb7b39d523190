// SPDX-License-Identifier: Apache-2.0
// What the reference libraries computed (tests/fixtures/<case>), and comparing with it.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/weights/safetensors.h"

namespace engines::test {

// A fixture folder: the model, expected/<group>.safetensors, and case.json with each tensor's tolerance.
class ReferenceCase {
 public:
  explicit ReferenceCase(const std::string& name);

  const std::filesystem::path& folder() const { return folder_; }
  const nlohmann::json& json() const { return json_; }
  std::string prompt(const std::string& key) const;  // by its key in params.prompts

 private:
  std::filesystem::path folder_;
  nlohmann::json json_;
};

// A tensor as the reference wrote it: float, int32 and uint8 values all as float.
struct Expected {
  std::string name;
  std::vector<std::int64_t> shape;
  std::vector<float> values;
  // Largest difference that float32 code may show: 20 times what the reference's own float32 run shows
  // against float64, or 1e-4 of the peak, whichever is larger.
  double bound = 0;

  ConstRows rows() const;  // the last axis is the columns
};

// One expected/<group>.safetensors with its tolerances.
class ExpectedGroup {
 public:
  ExpectedGroup(const ReferenceCase& reference, const std::string& group);
  Expected get(const std::string& tensor) const;
  bool has(const std::string& tensor) const { return file_.raw(tensor) != nullptr; }
  std::vector<std::string> names(const std::string& prefix) const;
  // Part `index` of `count` equal parts along the first axis.
  Expected part(const std::string& tensor, std::int64_t index, std::int64_t count) const;

 private:
  std::string group_;
  nlohmann::json tolerance_;
  SafetensorsFile file_;
};

Expected load(const SafetensorsFile& file, const std::string& tensor);

// Fails naming the tensor, the worst element, both values and the bound. `values` may be a prefix of the
// expected ones when the rest is padding that nobody reads.
testing::AssertionResult close_to(const Expected& expected, const float* values, std::size_t count);
testing::AssertionResult close_to(const Expected& expected, ConstRows rows);

// Images as 8-bit levels: at most one level off, in fewer than 0.2 % of the values.
testing::AssertionResult same_image(const std::vector<std::uint8_t>& expected, const std::vector<float>& rgb);

std::vector<std::int32_t> ids_of(const Expected& tensor);

// The kernels that every model is tested over, by name.
struct KernelsChoice {
  const char* name;
  bool fast;  // whether images of a real size take seconds
  std::unique_ptr<Kernels> (*make)();
};
std::vector<KernelsChoice> all_kernels();
inline std::string name_of_choice(const testing::TestParamInfo<KernelsChoice>& info) {
  return info.param.name;
}
inline void PrintTo(const KernelsChoice& choice, std::ostream* out) {
  *out << choice.name;
}

}  // namespace engines::test
