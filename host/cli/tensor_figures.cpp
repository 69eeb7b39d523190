// SPDX-License-Identifier: Apache-2.0
#include "host/cli/tensor_figures.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "host/text/list.h"

namespace roundhouse::host {

std::vector<double> values_of(const TraceTensor& tensor) {
  std::vector<double> values(tensor.data.size() / 4);
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (tensor.type == TraceTensor::Type::f32) {
      float value = 0;
      std::memcpy(&value, tensor.data.data() + 4 * i, sizeof value);
      values[i] = static_cast<double>(value);
    } else {
      std::int32_t value = 0;
      std::memcpy(&value, tensor.data.data() + 4 * i, sizeof value);
      values[i] = value;
    }
  }
  return values;
}

TensorFigures figures_of(const TraceTensor& tensor) {
  constexpr std::size_t kShown = 4;
  const std::vector<double> values = values_of(tensor);
  TensorFigures figures;
  if (values.empty()) return figures;
  const auto count = static_cast<double>(values.size());
  for (const double value : values) {
    figures.mean += value / count;
    const double size = std::abs(value);
    if (std::isnan(size) || size > figures.peak) figures.peak = size;  // nothing is larger than a NaN
  }
  for (const double value : values)
    figures.std += (value - figures.mean) * (value - figures.mean) / count;
  figures.std = std::sqrt(figures.std);
  figures.first.assign(values.begin(),
                       values.begin() + static_cast<std::ptrdiff_t>(std::min(kShown, values.size())));
  return figures;
}

std::string shape_text(const TraceTensor& tensor) {
  return joined(tensor.shape, "x", [](std::uint64_t axis) { return fmt::format("{}", axis); });
}

std::string number_text(double value) {
  return fmt::format("{:.4g}", value);
}

TensorDifference difference_of(const TraceTensor& tensor, const TraceTensor& expected, double relative) {
  TensorDifference difference;
  difference.same_shape = tensor.shape == expected.shape && tensor.type == expected.type;
  if (!difference.same_shape) return difference;
  const std::vector<double> ours = values_of(tensor), theirs = values_of(expected);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    double one = std::abs(ours[i] - theirs[i]);
    if (std::isnan(one)) one = std::numeric_limits<double>::infinity();
    if (one > difference.largest) {
      difference.largest = one;
      difference.place = i;
    }
  }
  if (expected.type == TraceTensor::Type::f32) difference.bound = relative * figures_of(expected).peak;
  return difference;
}

}  // namespace roundhouse::host
