// SPDX-License-Identifier: Apache-2.0
// What the object says of itself, its exact sibling, and what it does with memory.
#include <malloc.h>
#include <omp.h>

#include <map>

#include "engines/kernels/onednn/onednn_kernels.h"
#include "engines/kernels/onednn/product.h"
#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

TEST(OneDnnKernels, describe_threads_vectors_and_products) {
  for (const Dtype products : engine_under_test().products) {
    const auto facts = make_onednn_kernels(3, products)->describe();
    const std::map<std::string, std::string> described(facts.begin(), facts.end());
    EXPECT_EQ(described.at("threads"), "3");
    EXPECT_NE(described.at("simd"), "");
    EXPECT_THAT(described.at("simd"), testing::Not(testing::StartsWith("AVX3")))
        << "Highway's word, nobody else's";
    EXPECT_EQ(described.at("products"), name_of(products));
    EXPECT_THAT(described.at("onednn"), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
    EXPECT_NE(described.at("onednn.isa"), "");
  }
}

TEST(OneDnnKernels, round_only_what_is_stored_in_less_than_float32) {
  for (const Dtype products : engine_under_test().products) {
    const auto kernels = make_onednn_kernels(1, products);
    EXPECT_EQ(kernels->product_dtype(Dtype::f32), Dtype::f32);
    for (const Dtype stored : {Dtype::bf16, Dtype::f16, Dtype::q8_0, Dtype::q4_0}) {
      EXPECT_EQ(kernels->product_dtype(stored), products);
      EXPECT_EQ(kernels->exact().product_dtype(stored), Dtype::f32);
    }
  }
}

TEST(OneDnnKernels, give_exact_ones_that_round_nothing_and_count_for_themselves) {
  Random random(1);
  const auto kernels = make_onednn_kernels(2, best_onednn_products());
  const auto plain = make_onednn_kernels(2, Dtype::f32);
  const OwnedRows x(9, 70, 0, random);
  const OwnedWeight w(Dtype::bf16, {40, 70}, 0, random);
  OwnedRows exact(9, 40), expected(9, 40);
  kernels->exact().linear(exact.view, x.view, w.view);
  plain->linear(expected.view, x.view, w.view);
  EXPECT_TRUE(same_bits(exact.view, expected.view));
  EXPECT_EQ(&kernels->exact().exact(), &kernels->exact());
  EXPECT_EQ(kernels->exact().operations(), 2u * 9 * 40 * 70);
  const bool rounding = best_onednn_products() == Dtype::bf16;
  EXPECT_EQ(kernels->operations(), rounding ? 0u : kernels->exact().operations());
}

TEST(OneDnnKernels, keep_their_memory_after_the_first_call_of_a_shape) {
  Random random(2);
  const auto kernels = make_onednn_kernels(2, best_onednn_products());
  const OwnedRows x(64, 64, 0, random);
  const OwnedWeight linear(Dtype::f16, {64, 64}, 0, random), conv(Dtype::bf16, {40, 8, 3, 3}, 0, random);
  OwnedRows y(64, 64), attended(64, 64);
  OwnedPlanes planes(8, 16, 32, random), convolved(40, 16, 32);
  const auto step = [&] {
    kernels->linear(y.view, x.view, linear.view);
    kernels->attention(attended.view, y.view, y.view, y.view, {4, 4, 16, false, 0.25f, Dtype::bf16});
    kernels->conv2d(convolved.view, planes.view, conv.view, nullptr, {});
  };
  const auto used = [] { return mallinfo2().uordblks + mallinfo2().hblkhd; };
  for (int i = 0; i < 50; ++i)
    step();
  const std::size_t before = used();
  for (int i = 0; i < 500; ++i)
    step();
  // oneDNN takes a little for each call and gives it back; what the heap keeps at hand for its threads counts
  // as used. Anything kept for a call would be 500 times as much.
  EXPECT_LT(used(), before + 500 * 64);
}

TEST(OneDnnKernels, leave_the_callers_number_of_openmp_threads_alone) {
  Random random(3);
  const OwnedRows x(9, 70, 0, random);
  const OwnedWeight w(Dtype::bf16, {40, 70}, 0, random);
  OwnedRows y(9, 40);
  const int before = omp_get_max_threads();
  omp_set_num_threads(5);
  make_onednn_kernels(1, best_onednn_products())->linear(y.view, x.view, w.view);
  EXPECT_EQ(omp_get_max_threads(), 5);
  omp_set_num_threads(before);
}

TEST(OneDnnProducts, of_more_shapes_than_are_kept_are_all_right) {
  onednn::OneDnnProducts products(Dtype::f32);
  const std::vector<float> ones(1200, 1);
  for (std::int64_t k = 1; k <= 1200; ++k) {
    products.begin_operation();
    float sum = 0;
    products.multiply({Dtype::f32, cpu::Form::transposed, false, 1, 1, k, k, k, 1}, ones.data(), ones.data(),
                      &sum);
    ASSERT_EQ(sum, static_cast<float>(k));
  }
}

TEST(OneDnnMeasure, finds_a_plausible_rate) {
  for (const Dtype products : engine_under_test().products) {
    const double rate = measure_onednn_product(products, 65, 64, 63, 0.01, 2);
    EXPECT_GT(rate, 1e7);
    EXPECT_LT(rate, 1e16);
  }
}

}  // namespace
}  // namespace engines
