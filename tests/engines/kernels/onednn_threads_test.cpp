// SPDX-License-Identifier: Apache-2.0
// The same bits whatever the number of threads, and every time.
#include <functional>

#include "engines/kernels/onednn/onednn_kernels.h"
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

// `compute` fills rows; it is run with 1, 2 and 3 threads, a few times each.
void expect_same_for_any_threads(std::int64_t rows, std::int64_t cols, const std::string& what,
                                 const std::function<void(Kernels&, Rows)>& compute) {
  OwnedRows first(rows, cols);
  compute(*make_onednn_kernels(1, best_onednn_products()), first.view);
  for (const int threads : {1, 2, 3}) {
    const auto kernels = make_onednn_kernels(threads, best_onednn_products());
    for (int repeat = 0; repeat < 5; ++repeat) {
      OwnedRows other(rows, cols);
      compute(*kernels, other.view);
      EXPECT_TRUE(same_bits(first.view, other.view)) << what << " with " << threads << " threads";
    }
  }
}

TEST(OneDnnThreads, do_not_change_a_bit_of_linear) {
  Random random(1);
  for (const std::int64_t m : {1, 9, 33, 288, 530})
    for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
      const OwnedRows x(m, 500, 0, random);
      const OwnedWeight w(dtype, {301, 500}, 0, random);
      expect_same_for_any_threads(m, 301, "linear of " + std::to_string(m) + " rows",
                                  [&](Kernels& kernels, Rows y) { kernels.linear(y, x.view, w.view); });
    }
}

TEST(OneDnnThreads, do_not_change_a_bit_of_attention) {
  Random random(2);
  const OwnedRows q(600, 128, 0, random), k(600, 64, 0, random), v(600, 64, 0, random);
  for (const bool causal : {false, true})
    expect_same_for_any_threads(
        600, 128, causal ? "causal attention" : "attention", [&](Kernels& kernels, Rows y) {
          kernels.attention(y, q.view, k.view, v.view, {4, 2, 32, causal, 0.2f, Dtype::bf16});
        });
}

TEST(OneDnnThreads, do_not_change_a_bit_of_convolution) {
  Random random(3);
  const OwnedPlanes x(40, 48, 50, random);
  const OwnedWeight w(Dtype::bf16, {36, 40, 3, 3}, 1, random);
  expect_same_for_any_threads(36, 48 * 50, "conv2d", [&](Kernels& kernels, Rows y) {
    kernels.conv2d(Planes(y.data, 36, 48, 50), x.view, w.view, nullptr, {});
  });
}

}  // namespace
}  // namespace engines
