// SPDX-License-Identifier: Apache-2.0
// The bound of a dot product of k terms, in whatever order they are added, is (k + 2) u sum |x||w| with the
// unit roundoff u (Higham, Accuracy and Stability of Numerical Algorithms, 3.1): k for the sum, one for the
// bias, one for the reference's own rounding. The bias counts among the terms.
#include "engines/kernels/cpu/simd/skinny_product.h"
#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

struct Case {
  std::int64_t m, n, k;
  Dtype dtype = Dtype::f32;
  std::size_t offset = 0;
  std::int64_t gap = 0;
  bool bias = false;

  std::string name() const {
    std::ostringstream out;
    out << m << " x " << n << " x " << k << " " << name_of(dtype) << " offset " << offset << " gap " << gap
        << (bias ? " with bias" : "");
    return out.str();
  }
};

void check(Kernels& kernels, const Case& c) {
  Random random(static_cast<std::uint32_t>(c.m * 10007 + c.n * 101 + c.k));
  const OwnedRows x(c.m, c.k, c.gap, random);
  const OwnedRows bias(1, c.n, 0, random);
  const OwnedWeight w(c.dtype, {c.n, c.k}, c.offset, random);
  OwnedRows actual(c.m, c.n, 2 * c.gap, random);
  OwnedRows expected(c.m, c.n);
  const float* bias_data = c.bias ? bias.view.data : nullptr;
  kernels.linear(actual.view, x.view, w.view, bias_data);
  make_reference_kernels()->linear(expected.view, x.view, w.view, bias_data);

  const std::vector<float> weights = to_floats(w.view);
  const auto bound = [&](std::int64_t m, std::int64_t n) {
    const double terms = absolute_product(x.view, weights, m, n) + (c.bias ? std::abs(bias.view.data[n]) : 0);
    return static_cast<double>(c.k + 2) * kUnit * terms;
  };
  expect_within(actual.view, expected.view, bound, c.name());
  EXPECT_TRUE(actual.gaps_untouched()) << c.name();
}

TEST(OpenBlasLinear, agrees_at_ragged_sizes_in_every_type) {
  const auto kernels = make_openblas_kernels(2);
  for (const std::int64_t m : kRaggedSizes)
    for (const std::int64_t n : kRaggedSizes)
      for (const std::int64_t k : kRaggedSizes)
        for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
          check(*kernels, {m, n, k, dtype});
}

TEST(OpenBlasLinear, agrees_with_quantised_weights_at_ragged_sizes_and_every_address) {
  const auto kernels = make_openblas_kernels(2);
  for (const Dtype dtype : {Dtype::q8_0, Dtype::q4_0})
    for (const std::int64_t m : {1, 2, 3, 7, 65, 128, 129})
      for (const std::int64_t n : {1, 3, 4, 17, 66})
        for (const std::int64_t k : {32, 64, 416, 1120})
          check(*kernels, {m, n, k, dtype, static_cast<std::size_t>(m + n) % 4, m % 2, n % 2 == 0});
}

// The other small blocks, and those of 256: within one panel and beyond, and in tiles.
TEST(OpenBlasLinear, agrees_with_weights_of_every_kind_of_block) {
  const auto kernels = make_openblas_kernels(2);
  for (const Dtype dtype : {Dtype::q4_1, Dtype::q5_0, Dtype::q5_1, Dtype::q4_K, Dtype::q6_K, Dtype::q5_K}) {
    for (const std::int64_t m : {1, 3, 65, 129})
      for (const std::int64_t n : {1, 4, 17})
        for (const std::int64_t k : {256, 768, 1280})
          check(*kernels, {m, n, k, dtype, static_cast<std::size_t>(m + n) % 4, m % 2, n % 2 == 0});
    check(*kernels, {530, 70, 1792, dtype, 1, 1, true});
  }
}

TEST(OpenBlasLinear, agrees_at_every_address_and_with_strides_and_biases) {
  const auto kernels = make_openblas_kernels(2);
  for (const std::int64_t m : {1, 5, 70, 140})
    for (const std::size_t offset : {0, 1, 2, 3})
      for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
        for (const bool bias : {false, true})
          check(*kernels, {m, 37, 53, dtype, offset, 3, bias});
}

TEST(OpenBlasLinear, reads_stored_weights_for_more_rows_than_it_keeps_sums_of) {
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

TEST(OpenBlasLinear, agrees_where_the_work_is_cut_into_tiles) {
  const auto kernels = make_openblas_kernels(3);
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16}) {
    check(*kernels, {530, 700, 400, dtype, 1, 1, true});
    check(*kernels, {288, 192, 193, dtype, 0, 0, true});
    check(*kernels, {3, 1030, 1100, dtype, 1, 0, true});
  }
  for (const Dtype dtype : {Dtype::q8_0, Dtype::q4_0}) {
    check(*kernels, {530, 700, 416, dtype, 1, 1, true});
    check(*kernels, {20, 1030, 2080, dtype, 1, 0, true});
  }
}

TEST(OpenBlasLinear, gives_the_bias_for_products_without_terms) {
  const auto kernels = make_openblas_kernels(2);
  const std::vector<float> bias = {1, 2};
  std::vector<float> y = {7, 7, 7, 7};
  const WeightView w{nullptr, Dtype::f32, {2, 0}};
  kernels->linear(Rows(y.data(), 2, 2), ConstRows(nullptr, 2, 0), w, bias.data());
  EXPECT_THAT(y, testing::ElementsAre(1, 2, 1, 2));
  kernels->linear(Rows(nullptr, 0, 2), ConstRows(nullptr, 0, 0), w, bias.data());
  kernels->linear(Rows(nullptr, 2, 0), ConstRows(nullptr, 2, 0), {nullptr, Dtype::f32, {0, 0}}, nullptr);
}

TEST(OpenBlasLinear, lets_a_nan_through) {
  const auto kernels = make_openblas_kernels(1);
  for (const std::int64_t m : {2, 64}) {
    Random random(3);
    const OwnedRows x(m, 40, 0, random);
    x.view.row(1)[39] = std::nanf("");
    const OwnedWeight w(Dtype::bf16, {20, 40}, 0, random);
    OwnedRows y(m, 20);
    kernels->linear(y.view, x.view, w.view);
    EXPECT_THAT(y.view.row_span(1), testing::Each(testing::IsNan()));
    EXPECT_THAT(y.view.row_span(0), testing::Each(testing::Not(testing::IsNan())));
  }
}

}  // namespace
}  // namespace engines
