// SPDX-License-Identifier: Apache-2.0
// What the tests of everything made of products share, whichever library multiplies: the engine under test,
// and the operands as a product in bf16 sees them. An exact product of those leaves only the error of float32
// sums to be allowed.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "tests/engines/kernels/nearest_bf16.h"
#include "tests/engines/kernels/support.h"

namespace engines::test {

// Half of the distance between neighbouring bf16 numbers, relative to them: 8 bits of significand.
inline constexpr double kBf16Unit = 0x1p-8;
// A library may take subnormal operands and results for 0.
inline constexpr double kSmallestNormal = 0x1p-126;

inline OwnedRows as_operand(Dtype operands, const OwnedRows& x) {
  OwnedRows rounded(x);
  if (operands == Dtype::f32) return rounded;
  for (std::int64_t r = 0; r < rounded.view.rows; ++r)
    for (float& value : rounded.view.row_span(r))
      value = nearest_bf16(value);
  return rounded;
}

inline std::vector<float> as_operand(Dtype operands, const WeightView& w) {
  std::vector<float> values = to_floats(w);
  if (operands == Dtype::bf16) std::ranges::transform(values, values.begin(), nearest_bf16);
  return values;
}

inline WeightView view_of(const std::vector<float>& values, const std::vector<std::int64_t>& shape) {
  return {reinterpret_cast<const std::byte*>(values.data()), Dtype::f32, shape};
}

// The engine whose products a test program tests; each program has one.
struct EngineUnderTest {
  std::vector<Dtype> products;  // what operands may be rounded to on this processor: f32, perhaps bf16
  std::int64_t skinny_rows;     // up to so many rows linear multiplies in float32
  std::unique_ptr<Kernels> (*make)(int threads, Dtype products);
};
const EngineUnderTest& engine_under_test();

class ProductsTest : public testing::TestWithParam<Dtype> {
 protected:
  static std::unique_ptr<Kernels> make(int threads) { return engine_under_test().make(threads, GetParam()); }
};

inline std::string name_of_products(const testing::TestParamInfo<Dtype>& info) {
  return std::string(name_of(info.param));
}

}  // namespace engines::test
