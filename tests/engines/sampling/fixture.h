// SPDX-License-Identifier: Apache-2.0
// One folder of tests/fixtures: tensors that the original implementation computed, and how exact they are.
#pragma once

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

#include "engines/tensor/error.h"
#include "engines/weights/safetensors.h"

namespace engines::testing {

class Fixture {
 public:
  // `stage` is the stem of a file in <fixture>/expected and its key in case.json.
  Fixture(const std::string& name, std::string stage)
      : stage_(std::move(stage)),
        folder_(std::filesystem::path(ROUNDHOUSE_FIXTURES) / name),
        file_(folder_ / "expected" / (stage_ + ".safetensors")) {
    std::ifstream in(folder_ / "case.json");
    case_ = nlohmann::json::parse(in);
  }

  const SafetensorsFile& file() const { return file_; }
  nlohmann::json params() const { return case_["files"]["expected/" + stage_ + ".safetensors"]["params"]; }
  const nlohmann::json& case_params() const { return case_["params"]; }
  bool has(const std::string& tensor) const { return file_.raw(tensor) != nullptr; }

  std::vector<float> floats(const std::string& tensor) const {
    const WeightView* view = file_.find(tensor);
    if (!view) throw std::runtime_error("the fixture has no tensor " + tensor);
    return to_floats(*view);
  }
  template <class T>
  std::vector<T> values(const std::string& tensor) const {
    const auto* raw = file_.raw(tensor);
    if (!raw || raw->bytes % sizeof(T) != 0) throw std::runtime_error("the fixture has no tensor " + tensor);
    std::vector<T> out(raw->bytes / sizeof(T));
    std::memcpy(out.data(), raw->data, raw->bytes);
    return out;
  }

  // 20 times the float32 error of the original, or 1e-4 of the tensor's peak.
  double tolerance(const std::string& tensor) const {
    double peak = 0;
    for (const float value : floats(tensor))
      peak = std::max(peak, std::fabs(static_cast<double>(value)));
    const auto& known = case_["tolerance"][stage_];
    const double own = known.contains(tensor) ? known[tensor]["max_abs"].get<double>() : 0;
    return std::max(20 * own, 1e-4 * peak);
  }

 private:
  std::string stage_;
  std::filesystem::path folder_;
  SafetensorsFile file_;
  nlohmann::json case_;
};

// Fails naming the worst element. NaN never passes.
inline void expect_near(std::span<const float> actual, std::span<const float> expected, double tolerance,
                        const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  std::size_t worst = 0;
  double most = -1;
  for (std::size_t i = 0; i < actual.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(actual[i]) - expected[i]);
    if (!(difference <= most)) {
      most = difference;
      worst = i;
      if (std::isnan(difference)) break;
    }
  }
  EXPECT_LE(most, tolerance) << what << "[" << worst << "]: " << actual[worst] << ", expected "
                             << expected[worst];
}

// Expects an engines::Error of that code whose message holds `part`.
template <class Action>
void expect_error(rh_status code, const std::string& part, Action&& action) {
  try {
    action();
    ADD_FAILURE() << "nothing was thrown, expected code " << code << " with '" << part << "'";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    EXPECT_THAT(error.what(), ::testing::HasSubstr(part));
  }
}

}  // namespace engines::testing
