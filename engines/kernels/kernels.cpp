// SPDX-License-Identifier: Apache-2.0
// What all kernels share: the caller's promises, checked in debug builds, and the count of operations.
#include "engines/kernels/kernels.h"

#include <algorithm>
#include <cassert>

#include "engines/kernels/reference/operations.h"

namespace engines {
namespace {

std::uint64_t multiply_adds(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b) * static_cast<std::uint64_t>(c);
}

[[maybe_unused]] std::int64_t convolved(std::int64_t size, const ConvShape& shape) {
  return (size + shape.pad_before + shape.pad_after - shape.kernel) / shape.stride + 1;
}

}  // namespace

void Kernels::linear(Rows y, ConstRows x, const WeightView& w, const float* bias) {
  assert(w.shape.size() >= 2 && w.size() == y.cols * x.cols && w.dim(0) == y.cols);
  assert(x.cols % block_length(w.dtype) == 0);
  assert(y.rows == x.rows && y.stride >= y.cols && x.stride >= x.cols);
  do_linear(y, x, w, bias);
  operations_ += 2 * multiply_adds(y.rows, y.cols, x.cols);
}

void Kernels::linear_by_rows(Rows y, ConstRows x, const WeightView& w, const float* bias) {
  assert(w.shape.size() >= 2 && w.size() == y.cols * x.cols && w.dim(0) == y.cols);
  assert(x.cols % block_length(w.dtype) == 0);
  assert(y.rows == x.rows && y.stride >= y.cols && x.stride >= x.cols);
  do_linear_by_rows(y, x, w, bias);
  operations_ += 2 * multiply_adds(y.rows, y.cols, x.cols);
}

void Kernels::paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape,
                              RowSums sums) {
  assert(shape.heads > 0 && shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0);
  assert(q.cols == shape.heads * shape.head_dim && out.cols == q.cols && out.rows == q.rows);
  assert(shape.causal && seen.width == shape.kv_heads * shape.head_dim && q.rows <= seen.tokens);
  do_paged_attention(out, q, seen, shape, sums);
  operations_ += 2 * multiply_adds(shape.heads, shape.head_dim, q.rows) *
                 static_cast<std::uint64_t>(2 * seen.tokens - q.rows + 1);
}

void Kernels::gelu_tanh_mul(Rows y, ConstRows a, ConstRows b) {
  reference::gelu_tanh_mul(y, a, b);
}

void Kernels::gelu(Rows y, ConstRows x) {
  reference::gelu(y, x);
}

void Kernels::do_paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape,
                                 RowSums /*sums*/) {
  reference::paged_attention(out, q, seen, shape);
}

void Kernels::attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) {
  assert(shape.heads > 0 && shape.kv_heads > 0 && shape.heads % shape.kv_heads == 0);
  assert(q.cols == shape.heads * shape.head_dim && out.cols == q.cols && out.rows == q.rows);
  assert(k.cols == shape.kv_heads * shape.head_dim && v.cols == k.cols && v.rows == k.rows);
  assert(shape.causal ? q.rows <= k.rows : shape.window == 0);
  do_attention(out, q, k, v, shape);
  // Both products see the same pairs of a query and a key.
  const std::uint64_t products = 2 * multiply_adds(shape.heads, shape.head_dim, q.rows);
  operations_ += shape.causal ? products * static_cast<std::uint64_t>(2 * k.rows - q.rows + 1)
                              : 2 * products * static_cast<std::uint64_t>(k.rows);
}

void Kernels::conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                     const ConvShape& shape) {
  assert(shape.kernel > 0 && shape.stride > 0 && shape.pad_before >= 0 && shape.pad_after >= 0);
  assert(w.size() == y.channels * x.channels * shape.kernel * shape.kernel && w.dim(0) == y.channels);
  assert(y.height == convolved(x.height, shape) && y.width == convolved(x.width, shape));
  do_conv2d(y, x, w, bias, shape);
  operations_ += 2 * multiply_adds(y.plane_size(), y.channels, x.channels * shape.kernel * shape.kernel);
}

void Kernels::conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w,
                          const float* bias, const ConvRows& how) {
  [[maybe_unused]] const std::int64_t reach = w.dim(2) / 2;
  assert(w.dim(0) == y.channels && w.dim(1) == x.planes.channels && w.dim(2) % 2 == 1 &&
         w.dim(2) == w.dim(3));
  assert(y.width == x.planes.width && first >= 0 && first + y.height <= x.height);
  assert(x.first <= std::max<std::int64_t>(0, first - reach));
  assert(x.first + x.planes.height >= std::min(x.height, first + y.height + reach));
  do_conv2d_rows(y, first, x, w, bias, how);
  operations_ +=
      2 * multiply_adds(y.plane_size(), y.channels, w.size() / std::max<std::int64_t>(1, y.channels));
}

void Kernels::upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                                   const float* bias) {
  assert(w.dim(0) == y.channels && w.dim(1) == x.channels && w.dim(2) == 3 && w.dim(3) == 3);
  assert(y.width == 2 * x.width && first >= 0 && first + y.height <= 2 * x.height);
  do_upsample_conv2d_rows(y, first, x, w, bias);
  operations_ += 2 * multiply_adds(y.plane_size(), y.channels, x.channels * 9);
}

void Kernels::add_moments(Moments* moments, ConstPlanes x) {
  reference::add_moments(moments, x);
}

void Kernels::do_conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w,
                             const float* bias, const ConvRows& how) {
  reference::conv2d_rows(y, first, x, w, bias, how);
}

void Kernels::do_upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                                      const float* bias) {
  reference::upsample_conv2d_rows(y, first, x, w, bias);
}

}  // namespace engines
