// SPDX-License-Identifier: Apache-2.0
// Softmax attention, one query row of one head at a time.
#include <algorithm>
#include <cmath>

#include "engines/kernels/reference/operations.h"

namespace engines::reference {
namespace {

double dot(const float* a, const float* b, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = 0; i < count; ++i)
    sum += double{a[i]} * b[i];
  return sum;
}

// scores[j] <- exp(scores[j]) / sum of them; subtracting the greatest changes nothing and avoids overflow.
void softmax(std::vector<double>& scores) {
  const double greatest = *std::max_element(scores.begin(), scores.end());
  double sum = 0;
  for (double& score : scores) {
    score = std::exp(score - greatest);
    sum += score;
  }
  for (double& score : scores)
    score /= sum;
}

double score(const float* q, const float* k, const AttentionShape& shape) {
  const double plain = shape.scale * dot(q, k, shape.head_dim);
  return shape.softcap == 0 ? plain : shape.softcap * std::tanh(plain / shape.softcap);
}

// The rows that begin at `place` in every page.
std::vector<float> gathered(const PagedKeys& from, std::int64_t place) {
  std::vector<float> rows(static_cast<std::size_t>(from.tokens * from.width));
  for (std::int64_t t = 0; t < from.tokens; ++t) {
    const std::byte* const page = from.pages[t / from.page_tokens] + place;
    const auto first = static_cast<std::size_t>(t % from.page_tokens * from.width);
    for (std::int64_t c = 0; c < from.width; ++c)
      rows[static_cast<std::size_t>(t * from.width + c)] =
          load_as_float(page, from.dtype, first + static_cast<std::size_t>(c));
  }
  return rows;
}

}  // namespace

void paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape) {
  const std::vector<float> keys = gathered(seen, seen.keys);
  const std::vector<float> values = gathered(seen, seen.values);
  attention(out, q, {keys.data(), seen.tokens, seen.width}, {values.data(), seen.tokens, seen.width}, shape);
}

void attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) {
  const std::int64_t heads_per_kv_head = shape.heads / shape.kv_heads;
  std::vector<double> sums(static_cast<std::size_t>(shape.head_dim));
  std::vector<double> scores;
  for (std::int64_t head = 0; head < shape.heads; ++head) {
    const std::int64_t column = head * shape.head_dim;
    const std::int64_t kv_column = head / heads_per_kv_head * shape.head_dim;
    for (std::int64_t i = 0; i < q.rows; ++i) {
      const std::int64_t seen = shape.causal ? k.rows - q.rows + i + 1 : k.rows;
      if (seen == 0) continue;
      const std::int64_t first = shape.window > 0 ? std::max<std::int64_t>(0, seen - shape.window) : 0;
      scores.resize(static_cast<std::size_t>(seen - first));
      for (std::int64_t j = first; j < seen; ++j)
        scores[j - first] = score(q.row(i) + column, k.row(j) + kv_column, shape);
      softmax(scores);
      std::fill(sums.begin(), sums.end(), 0.0);
      for (std::int64_t j = first; j < seen; ++j)
        for (std::int64_t d = 0; d < shape.head_dim; ++d)
          sums[d] += scores[j - first] * v.row(j)[kv_column + d];
      for (std::int64_t d = 0; d < shape.head_dim; ++d)
        out.row(i)[column + d] = static_cast<float>(sums[d]);
    }
  }
}

}  // namespace engines::reference
