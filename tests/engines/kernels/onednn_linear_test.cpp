// SPDX-License-Identifier: Apache-2.0
// What linear promises with oneDNN's products beyond what it promises with any.
#include <array>

#include "engines/kernels/cpu/simd/unpack.h"
#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

class OneDnnLinear : public ProductsTest {};

// Rows and columns past one block of each, sums past one panel, and rows enough that blocks share a panel.
TEST_P(OneDnnLinear, gives_the_same_bits_however_equal_weights_are_stored) {
  const auto kernels = make(2);
  Random random(11);
  for (const auto& [m, n, k] :
       {std::array{5, 100, 64}, std::array{352, 130, 96}, std::array{353, 520, 2080},
        std::array{40, 90, 4160}, std::array{40, 90, 2304}, std::array{2500, 4112, 32}}) {
    const OwnedRows x(m, k, 1, random);
    for (const Dtype dtype : {Dtype::q8_0, Dtype::q4_0, Dtype::f16, Dtype::q4_K, Dtype::q6_K}) {
      if (k % block_length(dtype) != 0) continue;
      const OwnedWeight w(dtype, {n, k}, 1, random);
      std::vector<std::uint16_t> rounded(static_cast<std::size_t>(w.view.size()));
      cpu::unpack_bf16(rounded.data(), w.view, 0, w.view.size());
      std::vector<float> floats = to_floats(w.view);
      const bool halves = GetParam() == Dtype::bf16;
      const WeightView in_place{halves ? reinterpret_cast<const std::byte*>(rounded.data())
                                       : reinterpret_cast<const std::byte*>(floats.data()),
                                GetParam(),
                                {n, k}};
      OwnedRows actual(m, n), expected(m, n);
      kernels->linear(actual.view, x.view, w.view, nullptr);
      kernels->linear(expected.view, x.view, in_place, nullptr);
      EXPECT_TRUE(std::equal(actual.view.data, actual.view.data + m * n, expected.view.data))
          << m << " x " << n << " x " << k << " " << name_of(dtype);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Products, OneDnnLinear, testing::ValuesIn(engine_under_test().products),
                         name_of_products);

}  // namespace
}  // namespace engines
