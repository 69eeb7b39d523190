// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

constexpr std::int64_t kManyRows[] = {1, 3, 300};

TEST(OpenBlasSiluMul, agrees_at_ragged_sizes_and_large_values) {
  const auto fast = make_openblas_kernels(2);
  for (const std::int64_t rows : kManyRows) {
    for (const std::int64_t cols : kRaggedSizes) {
      for (const float spread : {1.0f, 300.0f}) {
        Random random(static_cast<std::uint32_t>(cols));
        OwnedRows a(rows, cols, 2, random);
        for (std::int64_t r = 0; r < rows; ++r)
          for (float& value : a.view.row_span(r))
            value *= spread;
        OwnedRows b(rows, cols, 1, random);
        OwnedRows actual(rows, cols, 3), expected(rows, cols);
        fast->silu_mul(actual.view, a.view, b.view);
        make_reference_kernels()->silu_mul(expected.view, a.view, b.view);
        // The exponential is good to 2 u, and sum, quotient and product round once each; so does the
        // reference. Where exp(-a) leaves the range of float, what remains is below 1e-32.
        const auto bound = [&](std::int64_t r, std::int64_t c) {
          return 8 * kUnit * std::abs(expected.view.row(r)[c]) + 1e-32;
        };
        const std::string name = std::to_string(rows) + " x " + std::to_string(cols);
        expect_within(actual.view, expected.view, bound, name);
        EXPECT_TRUE(actual.gaps_untouched()) << name;
        fast->silu_mul(b.view, a.view, b.view);
        EXPECT_TRUE(same_bits(b.view, actual.view)) << name << " into b";
        OwnedRows again(rows, cols, 1, random);
        fast->silu_mul(actual.view, a.view, again.view);
        fast->silu_mul(a.view, a.view, again.view);
        EXPECT_TRUE(same_bits(a.view, actual.view)) << name << " into a";
      }
    }
  }
}

TEST(OpenBlasSiluMul, keeps_infinities_and_nans) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> a = {inf, std::nanf(""), 1e30f, -1e30f};
  std::vector<float> b = {1, 1, 1, 1};
  make_openblas_kernels(1)->silu_mul(Rows(a.data(), 1, 4), Rows(a.data(), 1, 4), Rows(b.data(), 1, 4));
  EXPECT_EQ(a[0], inf);
  EXPECT_TRUE(std::isnan(a[1]));
  EXPECT_EQ(a[2], 1e30f);
  EXPECT_LT(std::abs(a[3]), 1e-6f);
}

TEST(OpenBlasAdd, equals_the_reference) {
  const auto fast = make_openblas_kernels(2);
  for (const std::int64_t rows : kManyRows) {
    for (const std::int64_t cols : kRaggedSizes) {
      Random random(static_cast<std::uint32_t>(cols));
      const OwnedRows x(rows, cols, 1, random);
      OwnedRows actual(rows, cols, 2, random);
      OwnedRows expected(actual);
      fast->add(actual.view, x.view);
      make_reference_kernels()->add(expected.view, x.view);
      EXPECT_TRUE(same_bits(actual.view, expected.view)) << rows << " x " << cols;
      EXPECT_TRUE(actual.gaps_untouched()) << rows << " x " << cols;
    }
  }
}

TEST(OpenBlasAddScaled, agrees_at_ragged_sizes) {
  const auto fast = make_openblas_kernels(2);
  for (const std::int64_t rows : kManyRows) {
    for (const std::int64_t cols : kRaggedSizes) {
      Random random(static_cast<std::uint32_t>(cols));
      const OwnedRows x(rows, cols, 1, random), scale(1, cols, 0, random);
      OwnedRows actual(rows, cols, 2, random);
      OwnedRows expected(actual);
      fast->add_scaled(actual.view, x.view, scale.view.data);
      make_reference_kernels()->add_scaled(expected.view, x.view, scale.view.data);
      // A product that may round before the sum does, and the reference's rounding.
      const auto bound = [&](std::int64_t r, std::int64_t c) {
        return kUnit *
               (std::abs(x.view.row(r)[c] * scale.view.data[c]) + 2 * std::abs(expected.view.row(r)[c]));
      };
      expect_within(actual.view, expected.view, bound, std::to_string(rows) + " x " + std::to_string(cols));
      EXPECT_TRUE(actual.gaps_untouched()) << rows << " x " << cols;
    }
  }
}

TEST(OpenBlasRope, agrees_in_both_layouts) {
  const auto fast = make_openblas_kernels(2);
  const auto reference = make_reference_kernels();
  for (const std::int64_t rows : kManyRows) {
    for (const std::int64_t pairs : kRaggedSizes) {
      for (const bool interleaved : {false, true}) {
        Random random(static_cast<std::uint32_t>(pairs));
        const OwnedRows cos(rows, pairs, 1, random), sin(rows, pairs, 2, random);
        OwnedRows actual(rows, 3 * 2 * pairs, 3, random);
        OwnedRows expected(actual);
        const OwnedRows before(actual);
        for (const auto& [kernels, x] :
             {std::pair{fast.get(), actual.view}, {reference.get(), expected.view}}) {
          if (interleaved)
            kernels->rope_interleaved(x, 2 * pairs, cos.view, sin.view);
          else
            kernels->rope_half(x, 2 * pairs, cos.view, sin.view);
        }
        // Two products of which one rounds, their sum, and the reference's rounding; factors are at most 1.
        const auto bound = [&](std::int64_t r, std::int64_t c) {
          const std::int64_t head = c / (2 * pairs) * 2 * pairs;
          const std::int64_t i = c - head;
          const std::int64_t partner = interleaved ? (i ^ 1) : (i + pairs) % (2 * pairs);
          return 3 * kUnit * (std::abs(before.view.row(r)[c]) + std::abs(before.view.row(r)[head + partner]));
        };
        expect_within(actual.view, expected.view, bound,
                      std::to_string(rows) + " rows, " + std::to_string(pairs) + " pairs");
        EXPECT_TRUE(actual.gaps_untouched());
      }
    }
  }
}

TEST(OpenBlasUpsample, equals_the_reference) {
  const auto fast = make_openblas_kernels(2);
  for (const std::int64_t channels : {1, 5}) {
    for (const std::int64_t height : {1, 2, 31}) {
      for (const std::int64_t width : kRaggedSizes) {
        Random random(static_cast<std::uint32_t>(width));
        const OwnedPlanes x(channels, height, width, random);
        OwnedPlanes actual(channels, 2 * height, 2 * width), expected(actual);
        fast->upsample_nearest_2x(actual.view, x.view);
        make_reference_kernels()->upsample_nearest_2x(expected.view, x.view);
        EXPECT_TRUE(same_bits(actual.rows(), expected.rows()))
            << channels << " x " << height << " x " << width;
      }
    }
  }
}

TEST(OpenBlasElementwise, does_nothing_for_sizes_of_zero) {
  const auto kernels = make_openblas_kernels(2);
  const Rows none(nullptr, 0, 5);
  const Planes no_planes(nullptr, 0, 4, 4);
  kernels->add(none, none);
  kernels->add_scaled(none, none, nullptr);
  kernels->silu_mul(none, none, none);
  kernels->rope_half(Rows(nullptr, 0, 4), 4, Rows(nullptr, 0, 2), Rows(nullptr, 0, 2));
  kernels->rms_norm(none, none, nullptr, 1);
  kernels->layer_norm(none, none, nullptr, nullptr, 1);
  kernels->group_norm(no_planes, no_planes, 1, nullptr, nullptr, 1, true);
  kernels->upsample_nearest_2x(no_planes, no_planes);
  kernels->attention(Rows(nullptr, 0, 4), ConstRows(nullptr, 0, 4), ConstRows(nullptr, 0, 4),
                     ConstRows(nullptr, 0, 4), {1, 1, 4, false, 1});
}

}  // namespace
}  // namespace engines
