// SPDX-License-Identifier: Apache-2.0
// What texts that are batched need: rows that do not depend on one another, attention over pages, windows and
// capped scores, gelu. Bounds as in products_linear_test.cpp and products_attention_test.cpp, for numbers of
// at most 1 and few terms.
#include <algorithm>
#include <cstring>

#include "tests/engines/kernels/products_support.h"

namespace engines {
namespace {

using namespace engines::test;

constexpr std::int64_t kPageTokens = 8;

class RowProducts : public ProductsTest {};

TEST_P(RowProducts, each_row_is_the_same_bits_alone_and_with_others) {
  const auto kernels = make(2);
  for (std::size_t type = 0; type < kDtypes; ++type) {
    const auto dtype = static_cast<Dtype>(type);
    for (const std::int64_t n : {1, 6, 67}) {
      const std::int64_t k = is_quantised(dtype) ? 3 * block_length(dtype) : 117;
      Random random(static_cast<std::uint32_t>(type * 100) + static_cast<std::uint32_t>(n));
      const OwnedRows x(11, k, 1, random);
      const OwnedRows bias(1, n, 0, random);
      const OwnedWeight w(dtype, {n, k}, 1, random);
      OwnedRows alone(11, n);
      for (std::int64_t r = 0; r < 11; ++r)
        kernels->linear_by_rows(alone.view.slice_rows(r, 1), x.view.slice_rows(r, 1), w.view, bias.view.data);
      for (std::int64_t rows = 1; rows <= 11; ++rows) {
        OwnedRows together(rows, n);
        kernels->linear_by_rows(together.view, x.view.slice_rows(11 - rows, rows), w.view, bias.view.data);
        EXPECT_EQ(std::memcmp(together.view.data, alone.view.row(11 - rows),
                              static_cast<std::size_t>(rows * n) * sizeof(float)),
                  0)
            << name_of(dtype) << ", " << rows << " rows of " << n;
      }
      OwnedRows expected(11, n);
      make_reference_kernels()->linear(expected.view, x.view, w.view, bias.view.data);
      const std::vector<float> weights = to_floats(w.view);
      expect_within(
          alone.view, expected.view,
          [&](std::int64_t i, std::int64_t j) {
            return static_cast<double>(k + 2) * kUnit *
                   (absolute_product(x.view, weights, i, j) + std::abs(bias.view.data[j]));
          },
          std::string(name_of(dtype)));
    }
  }
}

// Keys and values in pages: rows of a layer lie behind others, and behind a gap.
class Pages {
 public:
  Pages(std::int64_t tokens, std::int64_t width, Dtype dtype, Random& random)
      : width_(width), tokens_(tokens), dtype_(dtype) {
    const std::int64_t rows = 2 * kPageTokens;
    for (std::int64_t first = 0; first < tokens; first += kPageTokens) {
      memory_.emplace_back(static_cast<std::size_t>(rows * width + 16));
      for (std::int64_t i = 0; i < rows * width; ++i) {
        const float value = random();
        const std::uint16_t half = float_to_f16(value);
        std::byte* const to =
            reinterpret_cast<std::byte*>(memory_.back().data()) + kBefore + bytes_of(dtype, i);
        if (dtype == Dtype::f16)
          std::memcpy(to, &half, sizeof half);
        else
          std::memcpy(to, &value, sizeof value);
      }
    }
    for (const auto& page : memory_)
      places_.push_back(reinterpret_cast<const std::byte*>(page.data()));
  }
  PagedKeys view(std::int64_t tokens) const {
    return {places_.data(), kBefore, kBefore + bytes_of(dtype_, kPageTokens * width_), dtype_, kPageTokens,
            tokens,         width_};
  }

 private:
  static constexpr std::int64_t kBefore = 16;
  std::int64_t width_, tokens_;
  Dtype dtype_;
  std::vector<std::vector<float>> memory_;
  std::vector<const std::byte*> places_;
};

// Scores of at most 8 terms of 1 and capped ones, softmax and a mean of values below 1.
constexpr double kAttentionBound = 400 * kUnit;

class PagedAttention : public ProductsTest {};

TEST_P(PagedAttention, is_the_specifications_and_row_by_row_the_same_bits) {
  const auto kernels = make(2);
  const auto reference = make_reference_kernels();
  const AttentionShape plain{.heads = 6, .kv_heads = 2, .head_dim = 10, .causal = true, .scale = 0.3f};
  for (const Dtype dtype : {Dtype::f32, Dtype::f16}) {
    for (const std::int64_t window : {0, 1, 5, 30}) {
      for (const float softcap : {0.0f, 0.5f}) {
        for (const std::int64_t past : {0, 3, 8, 60}) {
          AttentionShape shape = plain;
          shape.window = window;
          shape.softcap = softcap;
          const std::int64_t rows = 9;
          Random random(static_cast<std::uint32_t>(past + window));
          const Pages pages(past + rows, 20, dtype, random);
          const OwnedRows q(rows, 60, 3, random);
          OwnedRows expected(rows, 60), alone(rows, 60), single(rows, 60), together(rows, 60);
          reference->paged_attention(expected.view, q.view, pages.view(past + rows), shape, RowSums::alone);
          kernels->paged_attention(alone.view, q.view, pages.view(past + rows), shape, RowSums::alone);
          kernels->paged_attention(together.view, q.view, pages.view(past + rows), shape, RowSums::together);
          for (std::int64_t r = 0; r < rows; ++r)
            kernels->paged_attention(single.view.slice_rows(r, 1), q.view.slice_rows(r, 1),
                                     pages.view(past + r + 1), shape, RowSums::alone);
          const std::string name = std::string(name_of(dtype)) + ", window " + std::to_string(window) +
                                   ", past " + std::to_string(past) + ", cap " + std::to_string(softcap);
          const auto bound = [](std::int64_t, std::int64_t) { return kAttentionBound; };
          expect_within(alone.view, expected.view, bound, name);
          expect_within(together.view, expected.view, bound, name + ", together");
          EXPECT_EQ(std::memcmp(alone.view.data, single.view.data, 9 * 60 * sizeof(float)), 0) << name;
        }
      }
    }
  }
}

class WindowedAttention : public ProductsTest {};

// More queries and keys than one block and one tile, so that some blocks begin before a row's window.
TEST_P(WindowedAttention, windows_reach_across_blocks_and_tiles) {
  const auto kernels = make(2);
  Random random(3);
  const double bound = GetParam() == Dtype::f32 ? 2400 * kUnit : 8 * kBf16Unit;
  for (const std::int64_t window : {3, 200, 900}) {
    const AttentionShape shape{.heads = 2,
                               .kv_heads = 1,
                               .head_dim = 8,
                               .causal = true,
                               .scale = 0.3f,
                               .weights = Dtype::bf16,
                               .window = window};
    const OwnedRows q(300, 16, 0, random), k(1100, 8, 0, random), v(1100, 8, 0, random);
    OwnedRows expected(300, 16), actual(300, 16);
    make_reference_kernels()->attention(expected.view, q.view, k.view, v.view, shape);
    kernels->attention(actual.view, q.view, k.view, v.view, shape);
    expect_within(
        actual.view, expected.view, [&](std::int64_t, std::int64_t) { return bound; },
        "window " + std::to_string(window));
  }
}

class GatedUnits : public ProductsTest {};

TEST_P(GatedUnits, gelu_is_the_formula) {
  const auto kernels = make(2);
  const auto reference = make_reference_kernels();
  Random random(5);
  OwnedRows x(7, 53, 2, random), gate(7, 53, 1, random);
  for (std::int64_t r = 0; r < 7; ++r)
    for (float& value : x.view.row_span(r))
      value *= static_cast<float>(r * r * r);
  OwnedRows expected(7, 53), actual(7, 53);
  const auto bound = [&](std::int64_t r, std::int64_t c) {
    return 16 * kUnit * std::max(1.0f, std::abs(x.view.row(r)[c]));
  };
  reference->gelu_tanh_mul(expected.view, x.view, gate.view);
  kernels->gelu_tanh_mul(actual.view, x.view, gate.view);
  expect_within(actual.view, expected.view, bound, "tanh");
  reference->gelu(expected.view, x.view);
  kernels->gelu(x.view, x.view);
  for (std::int64_t r = 0; r < 7; ++r)
    for (std::int64_t c = 0; c < 53; ++c)
      EXPECT_EQ(x.view.row(r)[c], expected.view.row(r)[c]);
}

// Rounding to bf16 has its own bounds (products_attention_test.cpp); what is tested here is exact.
const auto kExact = testing::Values(Dtype::f32);
INSTANTIATE_TEST_SUITE_P(Products, RowProducts, kExact, name_of_products);
INSTANTIATE_TEST_SUITE_P(Products, PagedAttention, kExact, name_of_products);
INSTANTIATE_TEST_SUITE_P(Products, GatedUnits, kExact, name_of_products);
INSTANTIATE_TEST_SUITE_P(Products, WindowedAttention, testing::ValuesIn(engine_under_test().products),
                         name_of_products);

}  // namespace
}  // namespace engines
