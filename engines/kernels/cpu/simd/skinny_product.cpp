// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/simd/skinny_product.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engines/kernels/cpu/simd/skinny_product.cpp"
#include <hwy/foreach_target.h>
// The line above includes this file once per target.
#include <hwy/highway.h>

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

// Elements k, k + 1, ... of a stored row; k is a multiple of the lanes.
template <Dtype kDtype, class D>
HWY_INLINE hn::Vec<D> load_weights(D d, const std::uint8_t* row, std::int64_t k) {
  if constexpr (is_quantised(kDtype)) {
    const std::uint8_t* block = row + k / kQuantisedBlock * block_bytes(kDtype);
    return hn::Mul(hn::Set(d, block_scale(block)), block_integers<kDtype>(d, block, k % kQuantisedBlock));
  } else {
    return Stored<kDtype>::load(d, row + k * Stored<kDtype>::kBytes);
  }
}

// kRows rows of x with kCols rows of w, all sums in registers.
template <Dtype kDtype, int kRows, int kCols>
HWY_INLINE void dot_block(Rows y, ConstRows x, StoredRows w, std::int64_t row, std::int64_t col,
                          const float* bias) {
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
      weights[j] = load_weights<kDtype>(d, w.data + (col + j) * w.row_bytes, k);
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
        const auto weight = load_weights<kDtype>(one, w.data + (col + j) * w.row_bytes, rest);
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
      return product_as<Dtype::q8_0>(y, x, rows, bias);
    case Dtype::q4_0:
      return product_as<Dtype::q4_0>(y, x, rows, bias);
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
