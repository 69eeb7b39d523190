// SPDX-License-Identifier: Apache-2.0
// The same bits whatever the number of threads, and every time.
#include <functional>

#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

// `compute` fills rows; it is run with 1, 2 and 3 threads, a few times each.
void expect_same_for_any_threads(std::int64_t rows, std::int64_t cols, const std::string& what,
                                 Dtype products, const std::function<void(Kernels&, Rows)>& compute) {
  OwnedRows first(rows, cols);
  compute(*engine_under_test().make(1, products), first.view);
  for (const int threads : {1, 2, 3}) {
    const auto kernels = engine_under_test().make(threads, products);
    for (int repeat = 0; repeat < 5; ++repeat) {
      OwnedRows other(rows, cols);
      compute(*kernels, other.view);
      EXPECT_TRUE(same_bits(first.view, other.view)) << what << " with " << threads << " threads";
    }
  }
}

class ProductsThreads : public ProductsTest {};

TEST_P(ProductsThreads, do_not_change_a_bit_of_linear) {
  Random random(1);
  for (const std::int64_t m : {1, 9, 33, 288, 530})
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
      const OwnedRows x(m, 500, 0, random);
      const OwnedWeight w(dtype, {301, 500}, 0, random);
      expect_same_for_any_threads(m, 301, "linear of " + std::to_string(m) + " rows", GetParam(),
                                  [&](Kernels& kernels, Rows y) { kernels.linear(y, x.view, w.view); });
    }
}

TEST_P(ProductsThreads, do_not_change_a_bit_of_attention) {
  Random random(2);
  const OwnedRows q(600, 128, 0, random), k(600, 64, 0, random), v(600, 64, 0, random);
  for (const bool causal : {false, true})
    expect_same_for_any_threads(
        600, 128, causal ? "causal attention" : "attention", GetParam(), [&](Kernels& kernels, Rows y) {
          kernels.attention(y, q.view, k.view, v.view, {4, 2, 32, causal, 0.2f, Dtype::bf16});
        });
}

TEST_P(ProductsThreads, do_not_change_a_bit_of_convolution) {
  Random random(3);
  const OwnedPlanes x(40, 48, 50, random);
  const OwnedWeight w(Dtype::bf16, {36, 40, 3, 3}, 1, random);
  expect_same_for_any_threads(36, 48 * 50, "conv2d", GetParam(), [&](Kernels& kernels, Rows y) {
    kernels.conv2d(Planes(y.data, 36, 48, 50), x.view, w.view, nullptr, {});
  });
}

TEST_P(ProductsThreads, do_not_change_a_bit_of_the_norms) {
  Random random(4);
  const OwnedRows x(700, 130, 0, random);
  expect_same_for_any_threads(700, 130, "rms_norm", GetParam(),
                              [&](Kernels& kernels, Rows y) { kernels.rms_norm(y, x.view, nullptr, 1e-5f); });
  expect_same_for_any_threads(700, 130, "layer_norm", GetParam(), [&](Kernels& kernels, Rows y) {
    kernels.layer_norm(y, x.view, nullptr, nullptr, 1e-5f);
  });
  const OwnedPlanes planes(8, 90, 110, random);
  const OwnedRows weight(1, 8, 0, random), bias(1, 8, 0, random);
  expect_same_for_any_threads(8, 90 * 110, "group_norm", GetParam(), [&](Kernels& kernels, Rows y) {
    kernels.group_norm(Planes(y.data, 8, 90, 110), planes.view, 2, weight.view.data, bias.view.data, 1e-6f,
                       true);
  });
}

TEST_P(ProductsThreads, do_not_change_a_bit_between_the_elements) {
  Random random(5);
  const OwnedRows a(300, 200, 0, random), b(300, 200, 0, random);
  const OwnedRows cos(300, 20, 0, random), sin(300, 20, 0, random);
  expect_same_for_any_threads(300, 200, "silu_mul and rope", GetParam(), [&](Kernels& kernels, Rows y) {
    kernels.silu_mul(y, a.view, b.view);
    kernels.rope_interleaved(y, 40, cos.view, sin.view);
    kernels.rope_half(y, 40, cos.view, sin.view);
  });
}

INSTANTIATE_TEST_SUITE_P(Products, ProductsThreads, testing::ValuesIn(engine_under_test().products),
                         name_of_products);

}  // namespace
}  // namespace engines
