// SPDX-License-Identifier: Apache-2.0
// The bound. A score is a dot product of d terms, then scaled and reduced by the maximum: it is off by at
// most e = (d + 4) u scale max_j sum |q||k_j|. Its exponential is then off by a factor of exp(e) and 2 units
// of roundoff, likewise the denominator; the two sums over n keys and the correction between tiles add (2n +
// 8) units. All of that multiplies sum_j p_j |v_j| <= max_j |v_j|. Second-order terms are covered by a factor
// of 1.1.
#include "engines/kernels/openblas/openblas_kernels.h"
#include "tests/engines/kernels/support.h"

namespace engines {
namespace {

using namespace engines::test;

double largest_score_terms(ConstRows q, ConstRows k, std::int64_t row, std::int64_t column,
                           std::int64_t kv_column, std::int64_t dim) {
  double largest = 0;
  for (std::int64_t j = 0; j < k.rows; ++j) {
    double sum = 0;
    for (std::int64_t d = 0; d < dim; ++d)
      sum += std::abs(double{q.row(row)[column + d]} * k.row(j)[kv_column + d]);
    largest = std::max(largest, sum);
  }
  return largest;
}

void check(Kernels& kernels, std::int64_t rows, std::int64_t kv_rows, const AttentionShape& shape,
           std::int64_t gap = 0, float spread = 1) {
  std::ostringstream name;
  name << rows << " queries, " << kv_rows << " keys, heads " << shape.heads << "/" << shape.kv_heads << " of "
       << shape.head_dim << (shape.causal ? ", causal" : "") << ", gap " << gap << ", scale " << shape.scale;
  Random random(static_cast<std::uint32_t>(rows * 1009 + kv_rows * 11 + shape.head_dim));
  const OwnedRows q(rows, shape.heads * shape.head_dim, gap, random);
  const OwnedRows k(kv_rows, shape.kv_heads * shape.head_dim, gap, random);
  const OwnedRows v(kv_rows, shape.kv_heads * shape.head_dim, 2 * gap, random);
  for (std::int64_t r = 0; r < rows; ++r)
    for (float& value : q.view.row_span(r))
      value *= spread;
  OwnedRows actual(rows, shape.heads * shape.head_dim, gap, random);
  OwnedRows expected(rows, shape.heads * shape.head_dim);
  kernels.attention(actual.view, q.view, k.view, v.view, shape);
  make_reference_kernels()->attention(expected.view, q.view, k.view, v.view, shape);

  std::vector<double> bounds;  // by row and head
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      const std::int64_t kv_head = head / (shape.heads / shape.kv_heads);
      const double terms =
          std::abs(shape.scale) * largest_score_terms(q.view, k.view, r, head * shape.head_dim,
                                                      kv_head * shape.head_dim, shape.head_dim);
      const double score = static_cast<double>(shape.head_dim + 4) * kUnit * terms;
      bounds.push_back(1.1 * (2 * score + static_cast<double>(2 * kv_rows + 12) * kUnit));
    }
  }
  const auto bound = [&](std::int64_t r, std::int64_t c) {
    return bounds[static_cast<std::size_t>(r * shape.heads + c / shape.head_dim)];  // max |v| <= 1
  };
  expect_within(actual.view, expected.view, bound, name.str());
  EXPECT_TRUE(actual.gaps_untouched()) << name.str();
}

TEST(OpenBlasAttention, agrees_at_ragged_sizes) {
  const auto kernels = make_openblas_kernels(2);
  for (const std::int64_t rows : kRaggedSizes)
    for (const std::int64_t kv_rows : kRaggedSizes)
      for (const std::int64_t dim : {1, 3, 16, 65})
        check(*kernels, rows, kv_rows, {2, 2, dim, false, 0.25f});
}

TEST(OpenBlasAttention, agrees_when_causal) {
  const auto kernels = make_openblas_kernels(2);
  for (const std::int64_t rows : kRaggedSizes)
    for (const std::int64_t dim : {2, 64})
      check(*kernels, rows, rows, {2, 1, dim, true, 0.5f});
}

TEST(OpenBlasAttention, agrees_across_several_tiles_of_keys) {
  const auto kernels = make_openblas_kernels(3);
  check(*kernels, 140, 1100, {1, 1, 8, false, 1});
  check(*kernels, 1100, 1100, {1, 1, 8, true, 1});
  check(*kernels, 530, 530, {3, 1, 16, true, 1});
}

TEST(OpenBlasAttention, agrees_with_grouped_heads_and_strides) {
  const auto kernels = make_openblas_kernels(2);
  for (const std::int64_t kv_heads : {1, 2, 3, 6}) {
    check(*kernels, 19, 19, {6, kv_heads, 10, true, 0.3f}, 5);
    check(*kernels, 19, 44, {6, kv_heads, 10, false, 0.3f}, 5);
  }
}

TEST(OpenBlasAttention, agrees_where_a_later_tile_raises_the_maximum_much) {
  const auto kernels = make_openblas_kernels(2);
  check(*kernels, 33, 1300, {1, 1, 4, false, 1}, 0, 60);
  check(*kernels, 33, 1300, {1, 1, 4, false, -1}, 0, 60);
}

TEST(OpenBlasAttention, lets_a_nan_through) {
  Random random(5);
  const OwnedRows q(4, 8, 0, random), k(40, 8, 0, random), v(40, 8, 0, random);
  q.view.row(2)[3] = std::nanf("");
  OwnedRows out(4, 8);
  make_openblas_kernels(1)->attention(out.view, q.view, k.view, v.view, {1, 1, 8, false, 1});
  EXPECT_THAT(out.view.row_span(2), testing::Each(testing::IsNan()));
  EXPECT_THAT(out.view.row_span(1), testing::Each(testing::Not(testing::IsNan())));
  k.view.row(39)[0] = std::nanf("");
  make_openblas_kernels(1)->attention(out.view, q.view, k.view, v.view, {1, 1, 8, false, 1});
  EXPECT_THAT(out.view.row_span(1), testing::Each(testing::IsNan())) << "a key that everybody sees";
}

}  // namespace
}  // namespace engines
