// SPDX-License-Identifier: Apache-2.0
#include "engines/layers/linear.h"

#include <cassert>

namespace engines {
namespace {

std::vector<float> load_bias(const WeightSet& weights, const std::string& name, std::int64_t outputs,
                             Bias bias) {
  if (bias == Bias::none) return {};
  return weights.floats(name + ".bias", {outputs});
}

}  // namespace

void Linear::apply(Kernels& kernels, Rows y, ConstRows x) const {
  assert(exists() && (bias.empty() || bias.size() == static_cast<std::size_t>(y.cols)));
  kernels.linear(y, x, weight, bias.empty() ? nullptr : bias.data());
}

void Linear::apply_by_rows(Kernels& kernels, Rows y, ConstRows x) const {
  assert(exists() && (bias.empty() || bias.size() == static_cast<std::size_t>(y.cols)));
  kernels.linear_by_rows(y, x, weight, bias.empty() ? nullptr : bias.data());
}

Linear stored_linear(const WeightSet& weights, const std::string& name, std::int64_t outputs,
                     std::int64_t inputs, Bias bias) {
  return {weights.get(name + ".weight", {outputs, inputs}), load_bias(weights, name, outputs, bias)};
}

Linear rounded_linear(WeightSet& weights, const std::string& name, std::int64_t outputs, std::int64_t inputs,
                      Bias bias) {
  return {weights.matrix(name + ".weight", {outputs, inputs}), load_bias(weights, name, outputs, bias)};
}

Linear rows_of(const Linear& whole, std::int64_t first, std::int64_t count) {
  const WeightView& w = whole.weight;
  const std::int64_t inputs = w.dim(1);
  Linear part{{w.data + bytes_of(w.dtype, first * inputs), w.dtype, {count, inputs}}, {}};
  if (!whole.bias.empty()) part.bias.assign(whole.bias.begin() + first, whole.bias.begin() + first + count);
  return part;
}

}  // namespace engines
