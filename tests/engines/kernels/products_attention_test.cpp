// SPDX-License-Identifier: Apache-2.0
// The bound. A score is a dot product of d terms, then scaled and reduced by the maximum: it is off by at
// most e = (d + 8) u scale max_j sum |q||k_j|, and its exponential by a factor of exp(e) and a few units.
// Products in bf16 round the probabilities too, each by a factor of 1 + 2^-8 at most, and their exponential
// by 2^-18. If every probability is off by a factor within 1 + f, the mean o = sum_j p_j v_j / sum_j p_j is
// off by at most f / (1 - f) sum_j p_j |v_j - o| / sum_j p_j. The two sums over n keys add (2n + 12) u max
// |v|.
#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

struct Exact {
  double score_terms = 0;      // max_j sum |q||k_j|
  std::vector<double> mean;    // by column of the head
  std::vector<double> spread;  // sum_j p_j |v_j - mean|
};

// One query of one head in double.
Exact exact_attention(ConstRows q, ConstRows k, ConstRows v, std::int64_t row, std::int64_t head,
                      const AttentionShape& shape) {
  const std::int64_t dim = shape.head_dim;
  const std::int64_t kv_column = head / (shape.heads / shape.kv_heads) * dim;
  const std::int64_t seen = shape.causal ? k.rows - q.rows + row + 1 : k.rows;
  Exact exact;
  std::vector<double> weights;
  for (std::int64_t j = 0; j < seen; ++j) {
    double score = 0, terms = 0;
    for (std::int64_t d = 0; d < dim; ++d) {
      const double term = double{q.row(row)[head * dim + d]} * k.row(j)[kv_column + d];
      score += term;
      terms += std::abs(term);
    }
    weights.push_back(score * shape.scale);
    exact.score_terms = std::max(exact.score_terms, terms);
  }
  const double largest = *std::ranges::max_element(weights);
  double sum = 0;
  for (double& weight : weights)
    sum += weight = std::exp(weight - largest);
  for (std::int64_t d = 0; d < dim; ++d) {
    double mean = 0, spread = 0;
    for (std::int64_t j = 0; j < seen; ++j)
      mean += weights[static_cast<std::size_t>(j)] / sum * v.row(j)[kv_column + d];
    for (std::int64_t j = 0; j < seen; ++j)
      spread += weights[static_cast<std::size_t>(j)] / sum * std::abs(v.row(j)[kv_column + d] - mean);
    exact.mean.push_back(mean);
    exact.spread.push_back(spread);
  }
  return exact;
}

void check(Kernels& kernels, std::int64_t rows, std::int64_t kv_rows, AttentionShape shape,
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
  shape.weights = Dtype::bf16;
  kernels.attention(actual.view, q.view, k.view, v.view, shape);
  EXPECT_TRUE(actual.gaps_untouched()) << name.str();

  const Dtype operands = kernels.product_dtype(shape.weights);
  const OwnedRows q_seen = as_operand(operands, q), k_seen = as_operand(operands, k),
                  v_seen = as_operand(operands, v);
  OwnedRows expected(rows, shape.heads * shape.head_dim), bounds(expected);
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      const Exact exact = exact_attention(q_seen.view, k_seen.view, v_seen.view, r, head, shape);
      const double score = static_cast<double>(shape.head_dim + 8) * kUnit * std::abs(shape.scale);
      const double factor = std::expm1(score * exact.score_terms) + 4 * kUnit +
                            (operands == Dtype::bf16 ? kBf16Unit + 0x1p-18 : 0);
      for (std::int64_t d = 0; d < shape.head_dim; ++d) {
        const auto i = static_cast<std::size_t>(d);
        expected.view.row(r)[head * shape.head_dim + d] = static_cast<float>(exact.mean[i]);
        bounds.view.row(r)[head * shape.head_dim + d] = static_cast<float>(
            factor / (1 - factor) * exact.spread[i] + static_cast<double>(2 * kv_rows + 12) * kUnit);
      }
    }
  }
  expect_within(
      actual.view, expected.view, [&](std::int64_t r, std::int64_t c) { return bounds.view.row(r)[c]; },
      name.str());
}

class AttentionProducts : public ProductsTest {};

TEST_P(AttentionProducts, agrees_at_ragged_sizes) {
  const auto kernels = make(2);
  for (const std::int64_t rows : kRaggedSizes)
    for (const std::int64_t kv_rows : kRaggedSizes)
      for (const std::int64_t dim : {1, 3, 16, 65})
        check(*kernels, rows, kv_rows, {2, 2, dim, false, 0.25f});
}

TEST_P(AttentionProducts, agrees_when_causal) {
  const auto kernels = make(2);
  for (const std::int64_t rows : kRaggedSizes)
    for (const std::int64_t dim : {2, 64})
      check(*kernels, rows, rows, {2, 1, dim, true, 0.5f});
}

TEST_P(AttentionProducts, agrees_when_causal_after_a_past) {
  const auto kernels = make(2);
  for (const std::int64_t rows : {1, 2, 7, 17, 129})
    for (const std::int64_t past : {1, 31, 320, 700})
      for (const std::int64_t dim : {2, 64})
        check(*kernels, rows, past + rows, {6, 2, dim, true, 0.5f}, 3);
}

TEST_P(AttentionProducts, agrees_across_several_tiles_of_keys) {
  const auto kernels = make(3);
  check(*kernels, 140, 1100, {1, 1, 8, false, 1});
  check(*kernels, 1100, 1100, {1, 1, 8, true, 1});
  check(*kernels, 530, 530, {3, 1, 16, true, 1});
}

TEST_P(AttentionProducts, agrees_with_grouped_heads_and_strides) {
  const auto kernels = make(2);
  for (const std::int64_t kv_heads : {1, 2, 3, 6}) {
    check(*kernels, 19, 19, {6, kv_heads, 10, true, 0.3f}, 5);
    check(*kernels, 19, 44, {6, kv_heads, 10, false, 0.3f}, 5);
  }
}

TEST_P(AttentionProducts, agrees_where_a_later_tile_raises_the_maximum_much) {
  const auto kernels = make(2);
  check(*kernels, 33, 1300, {1, 1, 4, false, 1}, 0, 60);
  check(*kernels, 33, 1300, {1, 1, 4, false, -1}, 0, 60);
}

TEST_P(AttentionProducts, does_nothing_for_sizes_of_zero) {
  const auto kernels = make(2);
  kernels->attention(Rows(nullptr, 0, 8), ConstRows(nullptr, 0, 8), ConstRows(nullptr, 0, 8),
                     ConstRows(nullptr, 0, 8), {1, 1, 8, false, 1, Dtype::bf16});
}

TEST_P(AttentionProducts, lets_nans_through) {
  Random random(5);
  for (const std::int64_t keys : {40, 33}) {
    const OwnedRows q(4, 8, 0, random), k(keys, 8, 0, random), v(keys, 8, 0, random);
    q.view.row(2)[3] = std::bit_cast<float>(0x7fffffffu);
    OwnedRows out(4, 8);
    const auto kernels = make(1);
    const AttentionShape shape{1, 1, 8, false, 1, Dtype::bf16};
    kernels->attention(out.view, q.view, k.view, v.view, shape);
    EXPECT_THAT(out.view.row_span(2), testing::Each(testing::IsNan()));
    EXPECT_THAT(out.view.row_span(1), testing::Each(testing::Not(testing::IsNan())));
    k.view.row(keys - 1)[0] = std::nanf("");
    kernels->attention(out.view, q.view, k.view, v.view, shape);
    for (std::int64_t r = 0; r < 4; ++r)
      EXPECT_THAT(out.view.row_span(r), testing::Each(testing::IsNan())) << "a key that everybody sees";
  }
}

INSTANTIATE_TEST_SUITE_P(Products, AttentionProducts, testing::ValuesIn(engine_under_test().products),
                         name_of_products);

}  // namespace
}  // namespace engines
