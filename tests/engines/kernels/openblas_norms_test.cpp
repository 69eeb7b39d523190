// SPDX-License-Identifier: Apache-2.0
// The bounds. A chunk of n = min(count, 2048) squares summed in float is off by at most n u of itself, chunks
// are merged in double, and the root halves it; half a dozen roundings follow: (n / 2 + 8) u |y|. Where a
// mean is taken off, the mean is off by u |mean| for its rounding and by n u of the mean distance from it,
// which the root mean square distance bounds.
#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

constexpr float kEps = 1e-5f;

double chunk(std::int64_t count) {
  return static_cast<double>(std::min<std::int64_t>(count, 2048));
}

struct Statistics {
  double mean = 0;
  double deviation = 0;  // with eps
};

Statistics statistics_of(const float* values, std::int64_t count, double eps) {
  Statistics result;
  for (std::int64_t i = 0; i < count; ++i)
    result.mean += values[i] / static_cast<double>(count);
  for (std::int64_t i = 0; i < count; ++i)
    result.deviation += std::pow(values[i] - result.mean, 2) / static_cast<double>(count);
  result.deviation = std::sqrt(result.deviation + eps);
  return result;
}

// The bound of (x - mean) / deviation times `weight`, of which `normed` is the true value.
double centred_bound(const Statistics& s, std::int64_t count, double x, double weight) {
  const double normed = std::abs((x - s.mean) / s.deviation);
  const double shift = kUnit * (2 * std::abs(s.mean) + std::abs(x)) / s.deviation + chunk(count) * kUnit;
  return std::abs(weight) * (shift + (chunk(count) / 2 + 8) * kUnit * normed);
}

OwnedRows shifted_rows(std::int64_t rows, std::int64_t cols, std::int64_t gap, float shift, Random& random) {
  OwnedRows x(rows, cols, gap, random);
  for (std::int64_t r = 0; r < rows; ++r)
    for (float& value : x.view.row_span(r))
      value += shift;
  return x;
}

std::string named(std::int64_t rows, std::int64_t cols) {
  return std::to_string(rows) + " x " + std::to_string(cols);
}

constexpr std::int64_t kWidths[] = {1, 2, 3, 7, 16, 17, 31, 63, 65, 129, 2049, 5000};

TEST(OpenBlasRmsNorm, agrees_at_ragged_sizes) {
  const auto fast = make_openblas_kernels(2);
  const auto reference = make_reference_kernels();
  for (const std::int64_t rows : {1, 3, 65}) {
    for (const std::int64_t cols : kWidths) {
      Random random(static_cast<std::uint32_t>(cols));
      const OwnedRows x(rows, cols, 3, random);
      const OwnedRows weight(1, cols, 0, random);
      for (const float* w :
           {static_cast<const float*>(nullptr), static_cast<const float*>(weight.view.data)}) {
        OwnedRows actual(rows, cols, 1, random);
        OwnedRows expected(actual);
        const OwnedRows before(actual);
        fast->rms_norm(actual.view, x.view, w, kEps);
        reference->rms_norm(expected.view, x.view, w, kEps);
        const auto norm_bound = [&](std::int64_t r, std::int64_t c) {
          return (chunk(cols) / 2 + 8) * kUnit * std::abs(expected.view.row(r)[c]);
        };
        expect_within(actual.view, expected.view, norm_bound, named(rows, cols));
        EXPECT_TRUE(actual.gaps_untouched());

        OwnedRows actual_sum(before), expected_sum(before);
        fast->add_rms_norm(actual_sum.view, x.view, w, kEps);
        reference->add_rms_norm(expected_sum.view, x.view, w, kEps);
        const auto sum_bound = [&](std::int64_t r, std::int64_t c) {
          return norm_bound(r, c) + 2 * kUnit * std::abs(expected_sum.view.row(r)[c]);
        };
        expect_within(actual_sum.view, expected_sum.view, sum_bound, named(rows, cols) + " added");
        EXPECT_TRUE(actual_sum.gaps_untouched());
      }
    }
  }
}

TEST(OpenBlasRmsNorm, works_in_place) {
  Random random(7);
  const auto kernels = make_openblas_kernels(2);
  OwnedRows x(9, 65, 2, random);
  OwnedRows y(9, 65);
  kernels->rms_norm(y.view, x.view, nullptr, kEps);
  kernels->rms_norm(x.view, x.view, nullptr, kEps);
  EXPECT_TRUE(same_bits(x.view, y.view));
}

TEST(OpenBlasLayerNorm, agrees_at_ragged_sizes_and_far_from_zero) {
  const auto fast = make_openblas_kernels(2);
  const auto reference = make_reference_kernels();
  for (const float shift : {0.0f, 1000.0f}) {
    for (const std::int64_t rows : {1, 3, 65}) {
      for (const std::int64_t cols : kWidths) {
        Random random(static_cast<std::uint32_t>(cols + 1));
        const OwnedRows x = shifted_rows(rows, cols, 2, shift, random);
        const OwnedRows scale(1, cols, 0, random), shifts(1, cols, 0, random);
        for (const float* s :
             {static_cast<const float*>(nullptr), static_cast<const float*>(scale.view.data)}) {
          OwnedRows actual(rows, cols, 1), expected(rows, cols);
          fast->layer_norm(actual.view, x.view, s, nullptr, kEps);
          reference->layer_norm(expected.view, x.view, s, nullptr, kEps);
          std::vector<Statistics> statistics;
          for (std::int64_t r = 0; r < rows; ++r)
            statistics.push_back(statistics_of(x.view.row(r), cols, kEps));
          const auto bound = [&](std::int64_t r, std::int64_t c) {
            return centred_bound(statistics[r], cols, x.view.row(r)[c], s ? s[c] : 1);
          };
          expect_within(actual.view, expected.view, bound,
                        named(rows, cols) + " around " + std::to_string(shift));
          EXPECT_TRUE(actual.gaps_untouched());

          fast->layer_norm(actual.view, x.view, s, shifts.view.data, kEps);
          reference->layer_norm(expected.view, x.view, s, shifts.view.data, kEps);
          const auto shifted_bound = [&](std::int64_t r, std::int64_t c) {
            return bound(r, c) + 2 * kUnit * std::abs(expected.view.row(r)[c]);
          };
          expect_within(actual.view, expected.view, shifted_bound, named(rows, cols) + " shifted");
        }
      }
    }
  }
}

struct GroupCase {
  std::int64_t channels, height, width, groups;
};

void check_group_norm(Kernels& fast, const GroupCase& g, bool silu) {
  const std::string name = std::to_string(g.channels) + " x " + named(g.height, g.width) + " in " +
                           std::to_string(g.groups) + (silu ? " groups with silu" : " groups");
  Random random(static_cast<std::uint32_t>(g.channels * 100 + g.width));
  OwnedPlanes x(g.channels, g.height, g.width, random);
  const OwnedRows weight(1, g.channels, 0, random), bias(1, g.channels, 0, random);
  OwnedPlanes actual(g.channels, g.height, g.width), expected(actual);
  fast.group_norm(actual.view, x.view, g.groups, weight.view.data, bias.view.data, kEps, silu);
  make_reference_kernels()->group_norm(expected.view, x.view, g.groups, weight.view.data, bias.view.data,
                                       kEps, silu);
  const std::int64_t channels = g.channels / g.groups;
  const std::int64_t count = channels * g.height * g.width;
  std::vector<Statistics> statistics;
  for (std::int64_t group = 0; group < g.groups; ++group)
    statistics.push_back(statistics_of(x.view.plane(group * channels), count, kEps));
  const auto bound = [&](std::int64_t c, std::int64_t p) {
    const double normed =
        centred_bound(statistics[c / channels], count, x.view.plane(c)[p], weight.view.data[c]);
    // silu grows by at most 1.1 of its argument's error, the bias rounds once, silu half a dozen times.
    return 1.1 * normed + 10 * kUnit * (std::abs(expected.view.plane(c)[p]) + std::abs(bias.view.data[c]));
  };
  expect_within(actual.rows(), expected.rows(), bound, name);

  fast.group_norm(x.view, x.view, g.groups, weight.view.data, bias.view.data, kEps, silu);
  EXPECT_TRUE(same_bits(x.rows(), actual.rows())) << name << " in place";
}

TEST(OpenBlasGroupNorm, agrees_at_ragged_sizes) {
  const auto kernels = make_openblas_kernels(2);
  for (const bool silu : {false, true})
    for (const GroupCase& shape :
         {GroupCase{1, 1, 1, 1}, GroupCase{4, 1, 3, 2}, GroupCase{6, 7, 5, 3}, GroupCase{32, 16, 16, 32},
          GroupCase{8, 33, 31, 1}, GroupCase{4, 150, 200, 2}})
      check_group_norm(*kernels, shape, silu);
}

TEST(OpenBlasNorms, let_a_nan_through) {
  const auto kernels = make_openblas_kernels(1);
  Random random(9);
  const OwnedRows x(3, 50, 0, random);
  x.view.row(1)[49] = std::nanf("");
  OwnedRows y(3, 50);
  kernels->rms_norm(y.view, x.view, nullptr, kEps);
  EXPECT_THAT(y.view.row_span(1), testing::Each(testing::IsNan()));
  kernels->layer_norm(y.view, x.view, nullptr, nullptr, kEps);
  EXPECT_THAT(y.view.row_span(1), testing::Each(testing::IsNan()));
  EXPECT_THAT(y.view.row_span(2), testing::Each(testing::Not(testing::IsNan())));
}

}  // namespace
}  // namespace engines
