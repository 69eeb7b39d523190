// SPDX-License-Identifier: Apache-2.0
// The blocks by themselves, against the formulas computed in double.
#include "engines/text/qwen3_blocks.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "engines/tensor/error.h"

namespace engines::test {
namespace {

using qwen3::Layer;
using qwen3::Pass;

constexpr Qwen3Config kConfig{.hidden_size = 6,
                              .layers = 1,
                              .heads = 2,
                              .kv_heads = 1,
                              .head_dim = 4,
                              .intermediate_size = 5,
                              .vocab_size = 1,
                              .rms_norm_eps = 1e-6,
                              .rope_theta = 100,
                              .tied = true};
constexpr std::int64_t kTokens = 3;

// Owns random numbers of about 1 that weights and activations are made of.
class Numbers {
 public:
  std::vector<float> floats(std::int64_t count) {
    std::vector<float> made(static_cast<std::size_t>(count));
    for (float& value : made)
      value = normal_(random_);
    return made;
  }
  Linear linear(std::int64_t outputs, std::int64_t inputs) {
    held_.push_back(floats(outputs * inputs));
    return {{reinterpret_cast<const std::byte*>(held_.back().data()), Dtype::f32, {outputs, inputs}}, {}};
  }

 private:
  std::mt19937 random_{5};
  std::normal_distribution<float> normal_{0, 1};
  std::vector<std::vector<float>> held_;
};

Layer random_layer(Numbers& numbers) {
  const Qwen3Config& c = kConfig;
  Layer layer;
  layer.input_norm = numbers.floats(c.hidden_size);
  layer.post_attention_norm = numbers.floats(c.hidden_size);
  layer.q_norm = numbers.floats(c.head_dim);
  layer.k_norm = numbers.floats(c.head_dim);
  layer.q = numbers.linear(c.q_width(), c.hidden_size);
  layer.k = numbers.linear(c.kv_width(), c.hidden_size);
  layer.v = numbers.linear(c.kv_width(), c.hidden_size);
  layer.o = numbers.linear(c.hidden_size, c.q_width());
  layer.gate = numbers.linear(c.intermediate_size, c.hidden_size);
  layer.up = numbers.linear(c.intermediate_size, c.hidden_size);
  layer.down = numbers.linear(c.hidden_size, c.intermediate_size);
  return layer;
}

using Row = std::vector<double>;

Row times(const Linear& linear, const Row& x) {
  Row y;
  for (std::int64_t o = 0; o < linear.weight.dim(0); ++o) {
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i)
      sum += x[i] * static_cast<double>(load_as_float(linear.weight.data, Dtype::f32,
                                                      static_cast<std::size_t>(o) * x.size() + i));
    y.push_back(sum);
  }
  return y;
}

Row norm(const Row& x, const std::vector<float>& weight) {
  double squares = 0;
  for (const double value : x)
    squares += value * value;
  const double factor = 1 / std::sqrt(squares / static_cast<double>(x.size()) + kConfig.rms_norm_eps);
  Row y;
  for (std::size_t i = 0; i < x.size(); ++i)
    y.push_back(x[i] * factor * weight[i]);
  return y;
}

// One head, normed and turned to its position.
Row turned(const Row& heads, std::int64_t head, const std::vector<float>& weight, std::int64_t position) {
  const auto dim = static_cast<std::size_t>(kConfig.head_dim);
  const auto first = heads.begin() + static_cast<std::ptrdiff_t>(head * kConfig.head_dim);
  const Row x = norm({first, first + kConfig.head_dim}, weight);
  Row y(dim);
  for (std::size_t p = 0; p < dim / 2; ++p) {
    const double angle =
        static_cast<double>(position) / std::pow(kConfig.rope_theta, 2.0 * static_cast<double>(p) / 4.0);
    y[p] = x[p] * std::cos(angle) - x[p + dim / 2] * std::sin(angle);
    y[p + dim / 2] = x[p] * std::sin(angle) + x[p + dim / 2] * std::cos(angle);
  }
  return y;
}

double dot(const Row& a, const Row& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += a[i] * b[i];
  return sum;
}

// What token `t` of x (a row a token) becomes by attention.
Row attended(const Layer& layer, const std::vector<Row>& x, std::size_t t) {
  const Row q = times(layer.q, norm(x[t], layer.input_norm));
  Row all_heads;
  for (std::int64_t h = 0; h < kConfig.heads; ++h) {
    const Row query = turned(q, h, layer.q_norm, static_cast<std::int64_t>(t));
    Row seen(static_cast<std::size_t>(kConfig.head_dim), 0);
    double total = 0;
    for (std::size_t j = 0; j <= t; ++j) {
      const Row normed = norm(x[j], layer.input_norm);
      const Row key = turned(times(layer.k, normed), 0, layer.k_norm, static_cast<std::int64_t>(j));
      const double weight = std::exp(dot(query, key) / 2);  // 1 / sqrt(head_dim)
      const Row value = times(layer.v, normed);
      for (std::size_t i = 0; i < seen.size(); ++i)
        seen[i] += weight * value[i];
      total += weight;
    }
    for (const double value : seen)
      all_heads.push_back(value / total);
  }
  Row y = times(layer.o, all_heads);
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] += x[t][i];
  return y;
}

Row fed_forward(const Layer& layer, const Row& x) {
  const Row normed = norm(x, layer.post_attention_norm);
  Row gate = times(layer.gate, normed);
  const Row up = times(layer.up, normed);
  for (std::size_t i = 0; i < gate.size(); ++i)
    gate[i] *= up[i] / (1 + std::exp(-gate[i]));
  Row y = times(layer.down, gate);
  for (std::size_t i = 0; i < y.size(); ++i)
    y[i] += x[i];
  return y;
}

class Qwen3Blocks : public testing::Test {
 protected:
  Qwen3Blocks() : values_(numbers_.floats(kTokens * kConfig.hidden_size)), layer_(random_layer(numbers_)) {
    for (std::int64_t t = 0; t < kTokens; ++t)
      before_.emplace_back(x().row(t), x().row(t) + kConfig.hidden_size);
    qwen3::fill_rotation(kConfig, 0, pass_.rotation);
  }
  Rows x() { return {values_.data(), kTokens, kConfig.hidden_size}; }
  // Sums of at most 8 products of float32 numbers, four deep, of values of about 10.
  void expect_row(std::int64_t t, const Row& expected) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const double bound = 64 * std::numeric_limits<float>::epsilon() * (10 + std::abs(expected[i]));
      EXPECT_NEAR(x().row(t)[i], expected[i], bound) << "token " << t << ", column " << i;
    }
  }

  Numbers numbers_;
  std::vector<float> values_;
  const Layer layer_;
  std::vector<Row> before_;
  std::unique_ptr<Kernels> kernels_ = make_reference_kernels();
  Arena arena_{qwen3::scratch_floats(kConfig, kTokens, false)};
  Pass pass_{kConfig, *kernels_, arena_, {arena_.rows(kTokens, 2), arena_.rows(kTokens, 2)}, nullptr};
};

TEST_F(Qwen3Blocks, AttentionIsTheFormula) {
  qwen3::attention(pass_, layer_, 0, x());
  for (std::int64_t t = 0; t < kTokens; ++t)
    expect_row(t, attended(layer_, before_, static_cast<std::size_t>(t)));
}

TEST_F(Qwen3Blocks, FeedForwardIsTheFormula) {
  qwen3::feed_forward(pass_, layer_, x());
  for (std::int64_t t = 0; t < kTokens; ++t)
    expect_row(t, fed_forward(layer_, before_[static_cast<std::size_t>(t)]));
}

TEST_F(Qwen3Blocks, ScratchIsWhatTheBlocksTakeAtMost) {
  qwen3::attention(pass_, layer_, 0, x());
  qwen3::feed_forward(pass_, layer_, x());
  EXPECT_EQ(arena_.peak_bytes(), arena_.capacity_bytes());
}

}  // namespace
}  // namespace engines::test
