// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/pipeline/reference_case.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fstream>

#include "engines/kernels/onednn/onednn_kernels.h"
#include "engines/kernels/openblas/openblas_kernels.h"

namespace engines::test {
namespace {

float element(const SafetensorsFile::Raw& raw, std::size_t i) {
  if (raw.dtype == "F32") return load_as_float(raw.data, Dtype::f32, i);
  if (raw.dtype == "U8") return static_cast<float>(std::to_integer<int>(raw.data[i]));
  EXPECT_EQ(raw.dtype, "I32");
  std::int32_t value = 0;
  std::memcpy(&value, raw.data + i * sizeof value, sizeof value);
  return static_cast<float>(value);
}

double peak_of(const std::vector<float>& values) {
  double peak = 0;
  for (const float v : values)
    peak = std::max(peak, std::abs(static_cast<double>(v)));
  return peak;
}

std::string place_of(std::size_t i, const std::vector<std::int64_t>& shape) {
  std::string place;
  for (auto axis = shape.rbegin(); axis != shape.rend(); ++axis) {
    const auto size = static_cast<std::size_t>(*axis);
    place = std::to_string(i % size) + (place.empty() ? "" : ", ") + place;
    i /= size;
  }
  return "[" + place + "]";
}

}  // namespace

ReferenceCase::ReferenceCase(const std::string& name)
    : folder_(std::filesystem::path(ROUNDHOUSE_FIXTURES) / name) {
  std::ifstream in(folder_ / "case.json");
  json_ = nlohmann::json::parse(in);
}

std::string ReferenceCase::prompt(const std::string& key) const {
  return json_.at("params").at("prompts").at(key).get<std::string>();
}

ConstRows Expected::rows() const {
  const std::int64_t cols = shape.back();
  return {values.data(), static_cast<std::int64_t>(values.size()) / cols, cols};
}

Expected load(const SafetensorsFile& file, const std::string& tensor) {
  const auto* const raw = file.raw(tensor);
  if (raw == nullptr) throw std::runtime_error("the fixture has no tensor " + tensor);
  Expected expected{tensor, raw->shape, {}, 0};
  std::int64_t count = 1;
  for (const auto size : raw->shape)
    count *= size;
  for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
    expected.values.push_back(element(*raw, i));
  expected.bound = 1e-4 * peak_of(expected.values);
  return expected;
}

ExpectedGroup::ExpectedGroup(const ReferenceCase& reference, const std::string& group)
    : group_(group), file_(reference.folder() / "expected" / (group + ".safetensors")) {
  const auto& all = reference.json().at("tolerance");
  if (all.contains(group)) tolerance_ = all.at(group);
}

Expected ExpectedGroup::get(const std::string& tensor) const {
  Expected expected = load(file_, tensor);
  expected.name = group_ + "/" + tensor;
  const auto& entry = tolerance_.value(tensor, nlohmann::json::object());
  const double reference_error = entry.value("max_rel_to_peak", 0.0);
  expected.bound = std::max(1e-4, 20 * reference_error) * peak_of(expected.values);
  return expected;
}

std::vector<std::string> ExpectedGroup::names(const std::string& prefix) const {
  std::vector<std::string> names = file_.names();
  std::erase_if(names, [&](const std::string& name) { return !name.starts_with(prefix); });
  return names;
}

Expected ExpectedGroup::part(const std::string& tensor, std::int64_t index, std::int64_t count) const {
  Expected whole = get(tensor);
  const auto size = static_cast<std::ptrdiff_t>(whole.values.size()) / count;
  whole.values = {whole.values.begin() + index * size, whole.values.begin() + (index + 1) * size};
  whole.shape.front() /= count;
  whole.name += " (part " + std::to_string(index) + ")";
  return whole;
}

testing::AssertionResult close_to(const Expected& expected, const float* values, std::size_t count) {
  if (count == 0 || count > expected.values.size()) {
    return testing::AssertionFailure()
           << expected.name << ": " << count << " values, expected " << expected.values.size();
  }
  std::size_t worst = 0;
  double largest = -1;
  for (std::size_t i = 0; i < count; ++i) {
    const double difference = std::abs(static_cast<double>(values[i]) - expected.values[i]);
    if (difference > largest || std::isnan(difference)) {
      largest = difference;
      worst = i;
    }
    if (std::isnan(difference)) break;
  }
  if (largest <= expected.bound) return testing::AssertionSuccess();
  return testing::AssertionFailure() << expected.name << " deviates most at "
                                     << place_of(worst, expected.shape) << ": " << values[worst]
                                     << ", expected " << expected.values[worst] << ", difference " << largest
                                     << ", bound " << expected.bound;
}

testing::AssertionResult close_to(const Expected& expected, ConstRows rows) {
  if (!rows.contiguous()) return testing::AssertionFailure() << expected.name << ": rows are not contiguous";
  return close_to(expected, rows.data, static_cast<std::size_t>(rows.rows * rows.cols));
}

testing::AssertionResult same_image(const std::vector<std::uint8_t>& expected,
                                    const std::vector<float>& rgb) {
  if (expected.size() != rgb.size()) {
    return testing::AssertionFailure()
           << "the image has " << rgb.size() << " values, expected " << expected.size();
  }
  std::size_t different = 0;
  for (std::size_t i = 0; i < rgb.size(); ++i) {
    const auto level = static_cast<int>(std::nearbyint(255 * rgb[i]));
    const int off = std::abs(level - static_cast<int>(expected[i]));
    if (off > 1) {
      return testing::AssertionFailure() << "value " << i << " of the image is " << level << ", expected "
                                         << static_cast<int>(expected[i]);
    }
    different += off != 0 ? 1 : 0;
  }
  if (static_cast<double>(different) < 0.002 * static_cast<double>(rgb.size()))
    return testing::AssertionSuccess();
  return testing::AssertionFailure() << different << " of " << rgb.size()
                                     << " values of the image are one level off, fewer than 0.2 % may be";
}

std::vector<std::int32_t> ids_of(const Expected& tensor) {
  std::vector<std::int32_t> ids;
  for (const float value : tensor.values)
    ids.push_back(static_cast<std::int32_t>(value));
  return ids;
}

std::vector<KernelsChoice> all_kernels() {
  return {
      {"reference", false, [] { return make_reference_kernels(); }},
      {"openblas", true, [] { return make_openblas_kernels(2); }},
      {"onednn", true, [] { return make_onednn_kernels(2, Dtype::f32); }},  // bf16_products_test.cpp has bf16
  };
}

}  // namespace engines::test
