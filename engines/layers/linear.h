// SPDX-License-Identifier: Apache-2.0
// A product with a weight of a model, as models of every kind have it.
#pragma once

#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/weights/weight_set.h"

namespace engines {

enum class Bias { none, added };

// A matrix in whatever form it is held, and what is added to the product. Weights that change a product at
// run time (LoRA) belong here. The view is borrowed from the set that it came from.
struct Linear {
  WeightView weight;        // [outputs, inputs]; without data where a model has no such product
  std::vector<float> bias;  // [outputs], or empty for none

  // y[r, o] = sum_i x[r, i] * weight[o, i] + bias[o], as Kernels::linear.  x: [rows, inputs];
  // y: [rows, outputs]. Not for several threads at once, as kernels are not.
  void apply(Kernels& kernels, Rows y, ConstRows x) const;
  // The same as Kernels::linear_by_rows.
  void apply_by_rows(Kernels& kernels, Rows y, ConstRows x) const;
  bool exists() const { return weight.data != nullptr; }
};

// <name>.weight [outputs, inputs] as it is stored, with <name>.bias [outputs] when asked. Throws
// MODEL_INVALID with the name of a tensor that is missing or has another shape.
Linear stored_linear(const WeightSet& weights, const std::string& name, std::int64_t outputs,
                     std::int64_t inputs, Bias bias);
// The same with the matrix rounded as the set was asked to (WeightSet::matrix): for the matrices of layers.
Linear rounded_linear(WeightSet& weights, const std::string& name, std::int64_t outputs, std::int64_t inputs,
                      Bias bias);

// Rows first..first+count-1 of a product that is one with others.
Linear rows_of(const Linear& whole, std::int64_t first, std::int64_t count);

}  // namespace engines
