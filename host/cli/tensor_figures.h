// SPDX-License-Identifier: Apache-2.0
// Tensors in figures, and two of them beside each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "host/task/trace_tensor.h"

namespace roundhouse::host {

struct TensorFigures {
  double mean = 0, std = 0;   // over all values; std of the population
  double peak = 0;            // largest magnitude; NaN where there is a NaN
  std::vector<double> first;  // the first few values
};
TensorFigures figures_of(const TraceTensor& tensor);
std::vector<double> values_of(const TraceTensor& tensor);
std::string shape_text(const TraceTensor& tensor);  // "16x32x32"
std::string number_text(double value);              // "0.01234", "-1.5e-07"

struct TensorDifference {
  bool same_shape = false;
  double largest = 0;     // difference of two values at the same place; infinite where one is a NaN
  std::size_t place = 0;  // of that, counted over all values
  double bound = 0;       // that the largest may reach
  bool within() const { return same_shape && largest <= bound; }
};
// `relative` to the largest magnitude of `expected`. Integers are to be equal.
TensorDifference difference_of(const TraceTensor& tensor, const TraceTensor& expected, double relative);

}  // namespace roundhouse::host
