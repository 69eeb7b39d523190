// SPDX-License-Identifier: Apache-2.0
// The bound is that of a dot product of k terms in whatever order, (k + 2) u sum |x||w| (Higham, Accuracy and
// Stability of Numerical Algorithms, 3.1), of the operands as they are multiplied: products of two bf16 are
// exact in float32.
#include "engines/kernels/cpu/simd/skinny_product.h"
#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

struct Case {
  std::int64_t m, n, k;
  Dtype dtype = Dtype::f32;
  std::size_t offset = 0;
  std::int64_t gap = 0;
  bool bias = false;
  float magnitude = 1;  // of x

  std::string name() const {
    std::ostringstream out;
    out << m << " x " << n << " x " << k << " " << name_of(dtype) << " offset " << offset << " gap " << gap
        << (bias ? " with bias" : "") << " of magnitude " << magnitude;
    return out.str();
  }
};

void check(Kernels& kernels, const Case& c) {
  Random random(static_cast<std::uint32_t>(c.m * 10007 + c.n * 101 + c.k));
  const OwnedRows x(c.m, c.k, c.gap, random);
  for (std::int64_t r = 0; r < c.m; ++r)
    for (float& value : x.view.row_span(r))
      value *= c.magnitude;
  const OwnedRows bias(1, c.n, 0, random);
  const OwnedWeight w(c.dtype, {c.n, c.k}, c.offset, random);
  OwnedRows actual(c.m, c.n, 2 * c.gap, random);
  actual.view.row(0)[0] = std::nanf("");  // what lay there before counts nothing
  OwnedRows expected(c.m, c.n);
  const float* bias_data = c.bias ? bias.view.data : nullptr;
  kernels.linear(actual.view, x.view, w.view, bias_data);

  const Dtype operands = c.m <= engine_under_test().skinny_rows ? Dtype::f32 : kernels.product_dtype(c.dtype);
  const OwnedRows rounded = as_operand(operands, x);
  const std::vector<float> weights = as_operand(operands, w.view);
  make_reference_kernels()->linear(expected.view, rounded.view, view_of(weights, w.view.shape), bias_data);
  const auto bound = [&](std::int64_t m, std::int64_t n) {
    const double terms =
        absolute_product(rounded.view, weights, m, n) + (c.bias ? std::abs(bias.view.data[n]) : 0);
    return static_cast<double>(c.k + 2) * (kUnit * terms + kSmallestNormal);
  };
  expect_within(actual.view, expected.view, bound, c.name());
  EXPECT_TRUE(actual.gaps_untouched()) << c.name();
}

class LinearProducts : public ProductsTest {};

TEST_P(LinearProducts, agrees_at_ragged_sizes_in_every_type) {
  const auto kernels = make(2);
  for (const std::int64_t m : {1, 2, 3, 4, 5, 7, 16, 17, 31, 63, 65, 129, 131})
    for (const std::int64_t n : kRaggedSizes)
      for (const std::int64_t k : kRaggedSizes)
        for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
          check(*kernels, {m, n, k, dtype});
}

TEST_P(LinearProducts, agrees_at_every_address_and_with_strides_and_biases) {
  const auto kernels = make(2);
  for (const std::int64_t m : {1, 5, 33, 70, 140})
    for (const std::size_t offset : {0, 1, 2, 3})
      for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
        for (const bool bias : {false, true})
          check(*kernels, {m, 37, 53, dtype, offset, 3, bias});
}

TEST_P(LinearProducts, agrees_where_the_work_is_cut_into_tiles) {
  const auto kernels = make(3);
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16, Dtype::q8_0, Dtype::q4_0}) {
    check(*kernels, {530, 700, 416, dtype, 1, 1, true});
    check(*kernels, {288, 192, 192, dtype, 0, 0, true});
    check(*kernels, {6, 1030, 1120, dtype, 1, 0, true});
    check(*kernels, {20, 1030, 2080, dtype, 1, 0, true});
  }
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    check(*kernels, {530, 700, 400, dtype, 1, 1, true});
    check(*kernels, {288, 192, 193, dtype, 0, 0, true});
    check(*kernels, {3, 1030, 1100, dtype, 1, 0, true});
  }
}

TEST_P(LinearProducts, agrees_with_quantised_weights_at_ragged_sizes_and_every_address) {
  const auto kernels = make(2);
  for (const Dtype dtype : {Dtype::q8_0, Dtype::q4_0})
    for (const std::int64_t m : {1, 2, 3, 4, 5, 7, 33, 65, 128, 129})
      for (const std::int64_t n : {1, 3, 4, 17, 37, 66})
        for (const std::int64_t k : {32, 64, 96, 416, 1056, 1120})
          check(*kernels, {m, n, k, dtype, static_cast<std::size_t>(m + n) % 4, m % 2, n % 2 == 0});
}

// The other small blocks, and those of 256: within one panel and beyond, and in tiles.
TEST_P(LinearProducts, agrees_with_weights_of_every_kind_of_block) {
  const auto kernels = make(2);
  for (const Dtype dtype : {Dtype::q4_1, Dtype::q5_0, Dtype::q5_1, Dtype::q4_K, Dtype::q6_K, Dtype::q5_K}) {
    for (const std::int64_t m : {1, 3, 5, 33, 65, 129})
      for (const std::int64_t n : {1, 4, 17, 37})
        for (const std::int64_t k : {256, 768, 1280, 2304})
          check(*kernels, {m, n, k, dtype, static_cast<std::size_t>(m + n) % 4, m % 2, n % 2 == 0});
    check(*kernels, {530, 70, 1792, dtype, 1, 1, true});
  }
}

TEST_P(LinearProducts, agrees_at_great_and_small_magnitudes) {
  const auto kernels = make(2);
  for (const float magnitude : {1e35f, 1e-30f, 1e-38f})
    check(*kernels, {20, 30, 40, Dtype::bf16, 0, 0, false, magnitude});
}

TEST_P(LinearProducts, gives_the_bias_for_products_without_terms) {
  const auto kernels = make(2);
  const std::vector<float> bias = {1, 2};
  std::vector<float> y = {7, 7, 7, 7};
  const WeightView w{nullptr, Dtype::bf16, {2, 0}};
  kernels->linear(Rows(y.data(), 2, 2), ConstRows(nullptr, 2, 0), w, bias.data());
  EXPECT_THAT(y, testing::ElementsAre(1, 2, 1, 2));
  kernels->linear(Rows(nullptr, 0, 2), ConstRows(nullptr, 0, 0), w, bias.data());
  kernels->linear(Rows(nullptr, 2, 0), ConstRows(nullptr, 2, 0), {nullptr, Dtype::bf16, {0, 0}}, nullptr);
}

TEST_P(LinearProducts, lets_nans_and_infinities_through) {
  const auto kernels = make(1);
  for (const std::int64_t m : {3, 64, 140}) {
    Random random(3);
    const OwnedRows x(m, 40, 0, random);
    x.view.row(1)[39] = std::bit_cast<float>(0x7f800001u);  // a NaN whose upper half is infinity's
    x.view.row(2)[7] = std::numeric_limits<float>::infinity();
    const OwnedWeight w(Dtype::bf16, {20, 40}, 0, random);
    OwnedRows y(m, 20);
    kernels->linear(y.view, x.view, w.view);
    EXPECT_THAT(y.view.row_span(0), testing::Each(testing::Truly([](float v) { return std::isfinite(v); })));
    EXPECT_THAT(y.view.row_span(1), testing::Each(testing::IsNan()));
    EXPECT_THAT(y.view.row_span(2), testing::Each(testing::Truly([](float v) { return std::isinf(v); })));
  }
}

INSTANTIATE_TEST_SUITE_P(Products, LinearProducts, testing::ValuesIn(engine_under_test().products),
                         name_of_products);

TEST(SkinnyProduct, reads_stored_weights_for_more_rows_than_it_keeps_sums_of) {
  Random random(9);
  const OwnedRows x(262, 256, 0, random);
  for (const Dtype dtype : {Dtype::bf16, Dtype::q8_0, Dtype::q4_0, Dtype::q4_K, Dtype::q6_K}) {
    const OwnedWeight w(dtype, {10, 256}, 1, random);
    OwnedRows actual(262, 7), expected(262, 10);
    cpu::skinny_product(actual.view, x.view, w.view, 2, nullptr);
    make_reference_kernels()->linear(expected.view, x.view, w.view, nullptr);
    const std::vector<float> weights = to_floats(w.view);
    const auto bound = [&](std::int64_t m, std::int64_t n) {
      return 258 * kUnit * absolute_product(x.view, weights, m, n + 2);
    };
    expect_within(actual.view, expected.view.slice_cols(2, 7), bound, std::string(name_of(dtype)));
  }
}

}  // namespace
}  // namespace engines
