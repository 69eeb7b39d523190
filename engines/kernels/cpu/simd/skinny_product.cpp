// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/skinny_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/skinny_product.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

#include <hwy/cache_control.h>

#include <algorithm>

#include "engines/kernels/cpu/simd/quantised-inl.h"
#include "engines/kernels/cpu/simd/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace engines::cpu::HWY_NAMESPACE {

// What one product needs to know of the weight: row n begins at data + n * row_bytes.
struct StoredRows {
  const std::uint8_t* data;
  std::int64_t row_bytes;
};

// kRows rows of x with kCols rows of w, all sums in registers.
template <Dtype kDtype, int kRows, int kCols>
HWY_INLINE void dot_block(Rows y, ConstRows x, StoredRows w, std::int64_t row, std::int64_t col,
                          const float* bias) {
  using Load = Stored<kDtype>;
  const BlockTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sums[kRows][kCols];
  for (auto& of_row : sums)
    for (auto& sum : of_row)
      sum = hn::Zero(d);

  std::int64_t k = 0;
  for (; k + lanes <= x.cols; k += lanes) {
    hn::Vec<decltype(d)> weights[kCols];
    for (int j = 0; j < kCols; ++j)
      weights[j] = Load::load(d, w.data + (col + j) * w.row_bytes + k * Load::kBytes);
    for (int i = 0; i < kRows; ++i) {
      const auto values = hn::LoadU(d, x.row(row + i) + k);
      for (int j = 0; j < kCols; ++j)
        sums[i][j] = hn::MulAdd(values, weights[j], sums[i][j]);
    }
  }
  const hn::CappedTag<float, 1> one;
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kCols; ++j) {
      float sum = hn::GetLane(hn::SumOfLanes(d, sums[i][j]));
      for (std::int64_t rest = k; rest < x.cols; ++rest) {
        const auto weight = Load::load(one, w.data + (col + j) * w.row_bytes + rest * Load::kBytes);
        sum += x.row(row + i)[rest] * hn::GetLane(weight);
      }
      y.row(row + i)[col + j] = bias ? sum + bias[col + j] : sum;
    }
  }
}

template <Dtype kDtype, int kCols>
HWY_INLINE void all_rows(Rows y, ConstRows x, StoredRows w, std::int64_t col, const float* bias) {
  std::int64_t row = 0;
  for (; row + 4 <= x.rows; row += 4)
    dot_block<kDtype, 4, kCols>(y, x, w, row, col, bias);
  if (row + 2 <= x.rows) {
    dot_block<kDtype, 2, kCols>(y, x, w, row, col, bias);
    row += 2;
  }
  if (row < x.rows) dot_block<kDtype, 1, kCols>(y, x, w, row, col, bias);
}

// A quantised weight is unpacked once for many rows of x, kCols rows and at most kPanelDepth columns at a
// time, which stay in the first-level cache; what they are multiplied to is added up by lanes meanwhile.
constexpr std::int64_t kPanelDepth = 1024;
constexpr std::int64_t kPanelRows = 128;
constexpr std::int64_t kMostLanes = 16;
constexpr std::int64_t kCacheLine = 64;

// sums[i][j] += x[i, :] * panel[j, :] by lanes; the columns of x are whole vectors.
template <int kRows, int kCols>
HWY_INLINE void add_panel(float* HWY_RESTRICT sums, ConstRows x, const float* HWY_RESTRICT panel) {
  const BlockTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sum[kRows][kCols];
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kCols; ++j)
      sum[i][j] = hn::Load(d, sums + (i * kCols + j) * kMostLanes);
  for (std::int64_t k = 0; k < x.cols; k += lanes) {
    hn::Vec<decltype(d)> weights[kCols];
    for (int j = 0; j < kCols; ++j)
      weights[j] = hn::Load(d, panel + j * kPanelDepth + k);
    for (int i = 0; i < kRows; ++i) {
      const auto values = hn::LoadU(d, x.row(i) + k);
      for (int j = 0; j < kCols; ++j)
        sum[i][j] = hn::MulAdd(values, weights[j], sum[i][j]);
    }
  }
  for (int i = 0; i < kRows; ++i)
    for (int j = 0; j < kCols; ++j)
      hn::Store(sum[i][j], d, sums + (i * kCols + j) * kMostLanes);
}

// Row j of the panel is the `count` blocks of row j of the weight from `data` on. Rows are unpacked side by
// side and what comes `ahead` bytes later is asked for: multiplying is no time for the processor to guess
// what is read next.
template <Dtype kDtype, int kCols>
HWY_INLINE void unpack_panel(float* HWY_RESTRICT panel, const std::uint8_t* data, std::int64_t row_bytes,
                             std::int64_t count, std::int64_t ahead) {
  const BlockTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t b = 0; b < count; ++b) {
    for (int j = 0; j < kCols; ++j) {
      const std::uint8_t* const block = data + j * row_bytes + b * block_bytes(kDtype);
      float* const out = panel + j * kPanelDepth + b * block_length(kDtype);
      for (std::int64_t line = 0; line < block_bytes(kDtype); line += kCacheLine)
        hwy::Prefetch(block + ahead + line);
      const BlockScales<kDtype> scales(block);
      for (std::int64_t i = 0; i < block_length(kDtype); i += lanes)
        hn::Store(block_values<kDtype>(d, scales, block, i), d, out + i);
    }
  }
}

template <int kCols>
HWY_NOINLINE void add_panel_to_all(float* sums, ConstRows x, const float* panel) {
  constexpr std::int64_t kSums = kCols * kMostLanes;
  std::int64_t row = 0;
  for (; row + 4 <= x.rows; row += 4)
    add_panel<4, kCols>(sums + row * kSums, x.slice_rows(row, 4), panel);
  if (row + 2 <= x.rows) {
    add_panel<2, kCols>(sums + row * kSums, x.slice_rows(row, 2), panel);
    row += 2;
  }
  if (row < x.rows) add_panel<1, kCols>(sums + row * kSums, x.slice_rows(row, 1), panel);
}

// All rows of x, kPanelRows at most, with kCols rows of the weight.
template <Dtype kDtype, int kCols>
HWY_INLINE void panel_product(Rows y, ConstRows x, StoredRows w, std::int64_t col, const float* bias) {
  const BlockTag d;
  alignas(64) float panel[kCols * kPanelDepth];
  alignas(64) float sums[kPanelRows * kCols * kMostLanes];
  std::fill_n(sums, x.rows * kCols * kMostLanes, 0.0f);
  constexpr std::int64_t kLength = block_length(kDtype);
  const std::int64_t blocks = x.cols / kLength;
  const std::int64_t panels = (x.cols + kPanelDepth - 1) / kPanelDepth;
  const std::int64_t most = (blocks + panels - 1) / panels;
  for (std::int64_t first = 0; first < blocks; first += most) {
    const std::int64_t count = std::min(most, blocks - first);
    const std::int64_t begin = first * block_bytes(kDtype);
    const std::int64_t ahead =
        first + most < blocks ? most * block_bytes(kDtype) : kCols * w.row_bytes - begin;
    unpack_panel<kDtype, kCols>(panel, w.data + col * w.row_bytes + begin, w.row_bytes, count, ahead);
    add_panel_to_all<kCols>(sums, x.slice_cols(first * kLength, count * kLength), panel);
  }
  for (std::int64_t i = 0; i < x.rows; ++i) {
    for (int j = 0; j < kCols; ++j) {
      const auto lanes = hn::Load(d, sums + (i * kCols + j) * kMostLanes);
      const float sum = hn::GetLane(hn::SumOfLanes(d, lanes));
      y.row(i)[col + j] = bias ? sum + bias[col + j] : sum;
    }
  }
}

// The same for kRows rows of x, few enough to take the weight from the registers in which it is unpacked; the
// products are added up in the same order, lane by lane.
template <Dtype kDtype, int kRows, int kCols>
HWY_INLINE void block_product(Rows y, ConstRows x, StoredRows w, std::int64_t col, const float* bias) {
  const BlockTag d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sums[kRows][kCols];
  for (auto& of_row : sums)
    for (auto& sum : of_row)
      sum = hn::Zero(d);
  constexpr std::int64_t kLength = block_length(kDtype);
  const std::uint8_t* const data = w.data + col * w.row_bytes;
  for (std::int64_t b = 0; b < x.cols / kLength; ++b) {
    for (int j = 0; j < kCols; ++j) {
      const std::uint8_t* const block = data + j * w.row_bytes + b * block_bytes(kDtype);
      const BlockScales<kDtype> scales(block);
      for (std::int64_t i = 0; i < kLength; i += lanes) {
        const auto weights = block_values<kDtype>(d, scales, block, i);
        for (int r = 0; r < kRows; ++r)
          sums[r][j] = hn::MulAdd(hn::LoadU(d, x.row(r) + b * kLength + i), weights, sums[r][j]);
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kCols; ++j) {
      const float sum = hn::GetLane(hn::SumOfLanes(d, sums[r][j]));
      y.row(r)[col + j] = bias ? sum + bias[col + j] : sum;
    }
  }
}

template <Dtype kDtype, int kRows>
HWY_INLINE void few_rows_product(Rows y, ConstRows x, StoredRows w, const float* bias) {
  constexpr int kCols = 4;
  std::int64_t col = 0;
  for (; col + kCols <= y.cols; col += kCols)
    block_product<kDtype, kRows, kCols>(y, x, w, col, bias);
  for (; col < y.cols; ++col)
    block_product<kDtype, kRows, 1>(y, x, w, col, bias);
}

template <Dtype kDtype>
HWY_INLINE void quantised_product(Rows y, ConstRows x, StoredRows w, const float* bias) {
  if (x.rows == 1) return few_rows_product<kDtype, 1>(y, x, w, bias);
  if (x.rows == 2) return few_rows_product<kDtype, 2>(y, x, w, bias);
  constexpr int kCols = 4;
  for (std::int64_t row = 0; row < x.rows; row += kPanelRows) {
    const std::int64_t rows = std::min(kPanelRows, x.rows - row);
    std::int64_t col = 0;
    for (; col + kCols <= y.cols; col += kCols)
      panel_product<kDtype, kCols>(y.slice_rows(row, rows), x.slice_rows(row, rows), w, col, bias);
    for (; col < y.cols; ++col)
      panel_product<kDtype, 1>(y.slice_rows(row, rows), x.slice_rows(row, rows), w, col, bias);
  }
}

template <Dtype kDtype>
HWY_INLINE void product_as(Rows y, ConstRows x, StoredRows w, const float* bias) {
  constexpr int kCols = 4;
  std::int64_t col = 0;
  for (; col + kCols <= y.cols; col += kCols)
    all_rows<kDtype, kCols>(y, x, w, col, bias);
  for (; col < y.cols; ++col)
    all_rows<kDtype, 1>(y, x, w, col, bias);
}

void product_of_stored(Rows y, ConstRows x, const WeightView& w, std::int64_t first, const float* bias) {
  const std::int64_t row_bytes = bytes_of(w.dtype, x.cols);
  const StoredRows rows{reinterpret_cast<const std::uint8_t*>(w.data) + first * row_bytes, row_bytes};
  switch (w.dtype) {
    case Dtype::f32:
      return product_as<Dtype::f32>(y, x, rows, bias);
    case Dtype::bf16:
      return product_as<Dtype::bf16>(y, x, rows, bias);
    case Dtype::f16:
      return product_as<Dtype::f16>(y, x, rows, bias);
    case Dtype::q8_0:
      return quantised_product<Dtype::q8_0>(y, x, rows, bias);
    case Dtype::q4_0:
      return quantised_product<Dtype::q4_0>(y, x, rows, bias);
    case Dtype::q4_K:
      return quantised_product<Dtype::q4_K>(y, x, rows, bias);
    case Dtype::q6_K:
      return quantised_product<Dtype::q6_K>(y, x, rows, bias);
    case Dtype::q4_1:
      return quantised_product<Dtype::q4_1>(y, x, rows, bias);
    case Dtype::q5_0:
      return quantised_product<Dtype::q5_0>(y, x, rows, bias);
    case Dtype::q5_1:
      return quantised_product<Dtype::q5_1>(y, x, rows, bias);
    case Dtype::q5_K:
      return quantised_product<Dtype::q5_K>(y, x, rows, bias);
  }
}

}  // namespace engines::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace engines::cpu {
HWY_EXPORT(product_of_stored);

void skinny_product(Rows y, ConstRows x, const WeightView& w, std::int64_t first, const float* bias) {
  HWY_DYNAMIC_DISPATCH(product_of_stored)(y, x, w, first, bias);
}
}  // namespace engines::cpu
#endif
