// SPDX-License-Identifier: Apache-2.0
// The bound is that of a dot product of k terms in whatever order, (k + 2) u sum |x||w| (Higham, Accuracy and
// Stability of Numerical Algorithms, 3.1), of the operands as they are multiplied: products of two bf16 are
// exact in float32.
#include <array>

#include "engines/kernels/cpu/simd/unpack.h"
#include "tests/engines/kernels/onednn_support.h"

namespace engines {
namespace {

using namespace engines::test;

constexpr std::int64_t kRowsInFloat32 = 4;  // so few are multiplied with the weight as it is stored

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

  const Dtype operands = c.m <= kRowsInFloat32 ? Dtype::f32 : kernels.product_dtype(c.dtype);
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

class OneDnnLinear : public testing::TestWithParam<Dtype> {};

TEST_P(OneDnnLinear, agrees_at_ragged_sizes_in_every_type) {
  const auto kernels = make_onednn_kernels(2, GetParam());
  for (const std::int64_t m : {1, 3, 4, 5, 7, 17, 63, 129})
    for (const std::int64_t n : {1, 2, 7, 16, 31, 65})
      for (const std::int64_t k : {1, 2, 3, 17, 31, 64, 129})
        for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
          check(*kernels, {m, n, k, dtype});
}

TEST_P(OneDnnLinear, agrees_at_every_address_and_with_strides_and_biases) {
  const auto kernels = make_onednn_kernels(2, GetParam());
  for (const std::int64_t m : {1, 5, 33, 70})
    for (const std::size_t offset : {0, 1, 2, 3})
      for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16})
        for (const bool bias : {false, true})
          check(*kernels, {m, 37, 53, dtype, offset, 3, bias});
}

TEST_P(OneDnnLinear, agrees_where_the_work_is_cut_into_tiles) {
  const auto kernels = make_onednn_kernels(3, GetParam());
  for (const Dtype dtype : {Dtype::f32, Dtype::bf16, Dtype::f16, Dtype::q8_0, Dtype::q4_0}) {
    check(*kernels, {530, 700, 416, dtype, 1, 1, true});
    check(*kernels, {288, 192, 192, dtype, 0, 0, true});
    check(*kernels, {6, 1030, 1120, dtype, 1, 0, true});
  }
}

TEST_P(OneDnnLinear, agrees_where_weights_are_quantised) {
  const auto kernels = make_onednn_kernels(2, GetParam());
  for (const std::int64_t m : {1, 4, 5, 33})
    for (const std::int64_t k : {32, 96, 1056})
      for (const Dtype dtype : {Dtype::q8_0, Dtype::q4_0})
        check(*kernels, {m, 37, k, dtype, static_cast<std::size_t>(m % 2)});
}

TEST_P(OneDnnLinear, agrees_with_weights_of_every_kind_of_block) {
  const auto kernels = make_onednn_kernels(2, GetParam());
  for (const Dtype dtype : {Dtype::q4_1, Dtype::q5_0, Dtype::q5_1, Dtype::q4_K, Dtype::q6_K, Dtype::q5_K})
    for (const std::int64_t m : {1, 5, 33})
      for (const std::int64_t k : {256, 2304})
        check(*kernels, {m, 37, k, dtype, static_cast<std::size_t>(m % 2)});
}

// Rows and columns past one block of each, sums past one panel, and rows enough that blocks share a panel.
TEST_P(OneDnnLinear, gives_the_same_bits_however_equal_weights_are_stored) {
  const auto kernels = make_onednn_kernels(2, GetParam());
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

TEST_P(OneDnnLinear, agrees_at_great_and_small_magnitudes) {
  const auto kernels = make_onednn_kernels(2, GetParam());
  for (const float magnitude : {1e35f, 1e-30f, 1e-38f})
    check(*kernels, {20, 30, 40, Dtype::bf16, 0, 0, false, magnitude});
}

TEST_P(OneDnnLinear, gives_the_bias_for_products_without_terms) {
  const auto kernels = make_onednn_kernels(2, GetParam());
  const std::vector<float> bias = {1, 2};
  std::vector<float> y = {7, 7, 7, 7};
  const WeightView w{nullptr, Dtype::bf16, {2, 0}};
  kernels->linear(Rows(y.data(), 2, 2), ConstRows(nullptr, 2, 0), w, bias.data());
  EXPECT_THAT(y, testing::ElementsAre(1, 2, 1, 2));
  kernels->linear(Rows(nullptr, 0, 2), ConstRows(nullptr, 0, 0), w, bias.data());
  kernels->linear(Rows(nullptr, 2, 0), ConstRows(nullptr, 2, 0), {nullptr, Dtype::bf16, {0, 0}}, nullptr);
}

TEST_P(OneDnnLinear, lets_nans_and_infinities_through) {
  const auto kernels = make_onednn_kernels(1, GetParam());
  for (const std::int64_t m : {3, 64}) {
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

INSTANTIATE_TEST_SUITE_P(Products, OneDnnLinear, testing::ValuesIn(all_products()), name_of_products);

TEST(OneDnnOperands, are_rounded_to_the_nearest_bf16_whatever_their_bits) {
  std::vector<float> values;
  for (std::uint32_t upper = 0; upper < 65536; ++upper)
    for (const std::uint32_t lower : {0x0000u, 0x0001u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu})
      values.push_back(std::bit_cast<float>(upper << 16 | lower));
  values.resize(values.size() - 3);  // no whole number of vectors
  std::vector<std::uint16_t> rounded(values.size());
  const auto count = static_cast<std::int64_t>(values.size());
  cpu::unpack_bf16(rounded.data(), view_of(values, {count}), 0, count);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float actual = bf16_to_float(rounded[i]);
    const float expected = nearest_bf16(values[i]);
    const bool same = std::isnan(expected)
                          ? std::isnan(actual)
                          : std::bit_cast<std::uint32_t>(actual) == std::bit_cast<std::uint32_t>(expected);
    ASSERT_TRUE(same) << std::hexfloat << values[i] << " became " << actual << ", expected " << expected;
  }
}

}  // namespace
}  // namespace engines
