// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/costing/recording_kernels.h"

#include <utility>

namespace engines {
namespace {

using Kind = OperationShape::Kind;

std::uint64_t product(std::int64_t a, std::int64_t b, std::int64_t c) {
  return static_cast<std::uint64_t>(a) * static_cast<std::uint64_t>(b) * static_cast<std::uint64_t>(c);
}

std::uint64_t conv_operations(ConstPlanes y, const WeightView& w) {
  return 2 * product(y.height, y.width, w.size());
}

}  // namespace

RecordingKernels::Work RecordingKernels::take() {
  return std::exchange(work_, {});
}

void RecordingKernels::note(const OperationShape& shape, std::int64_t rows, std::uint64_t operations) {
  OperationAmount& amount = work_.amounts[shape];
  amount.rows += static_cast<std::uint64_t>(rows);
  amount.operations += operations;
  work_.operations += operations;
}

void RecordingKernels::note_values(std::int64_t values) {
  work_.bytes += static_cast<std::uint64_t>(values) * sizeof(float);
}

void RecordingKernels::rms_norm(Rows y, ConstRows, const float*, float) {
  note_values(3 * y.rows * y.cols);
}
void RecordingKernels::add_rms_norm(Rows y, ConstRows, const float*, float) {
  note_values(4 * y.rows * y.cols);
}
void RecordingKernels::layer_norm(Rows y, ConstRows, const float*, const float*, float) {
  note_values(3 * y.rows * y.cols);
}
void RecordingKernels::group_norm(Planes y, ConstPlanes, std::int64_t, const float*, const float*, float,
                                  bool) {
  note_values(3 * y.size());
}
void RecordingKernels::add_moments(Moments*, ConstPlanes x) {
  note_values(x.size());
}
void RecordingKernels::silu_mul(Rows y, ConstRows, ConstRows) {
  note_values(3 * y.rows * y.cols);
}
void RecordingKernels::add(Rows y, ConstRows) {
  note_values(3 * y.rows * y.cols);
}
void RecordingKernels::add_scaled(Rows y, ConstRows, const float*) {
  note_values(3 * y.rows * y.cols);
}
void RecordingKernels::rope_interleaved(Rows x, std::int64_t, ConstRows, ConstRows) {
  note_values(2 * x.rows * x.cols);
}
void RecordingKernels::rope_half(Rows x, std::int64_t, ConstRows, ConstRows) {
  note_values(2 * x.rows * x.cols);
}
void RecordingKernels::upsample_nearest_2x(Planes y, ConstPlanes x) {
  note_values(x.size() + y.size());
}

void RecordingKernels::do_linear(Rows y, ConstRows x, const WeightView& w, const float*) {
  note({Kind::linear, x.cols, y.cols, x.rows, 0, w.dtype}, x.rows, 2 * product(y.rows, y.cols, x.cols));
}

void RecordingKernels::do_attention(Rows, ConstRows q, ConstRows k, ConstRows, const AttentionShape& shape) {
  const std::uint64_t pairs =
      shape.causal ? product(q.rows, 2 * k.rows - q.rows + 1, 1) / 2 : product(q.rows, k.rows, 1);
  const std::int64_t kv_heads = shape.causal ? -shape.kv_heads : shape.kv_heads;
  note({Kind::attention, shape.head_dim, shape.heads, k.rows, kv_heads, shape.weights}, q.rows,
       4 * pairs * product(shape.heads, shape.head_dim, 1));
}

void RecordingKernels::do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float*,
                                 const ConvShape& shape) {
  note({Kind::conv2d, x.channels, y.channels, y.width, shape.kernel * 16 + shape.stride, w.dtype}, y.height,
       conv_operations(y, w));
}

void RecordingKernels::do_conv2d_rows(Planes y, std::int64_t, const Strip& x, const WeightView& w,
                                      const float*, const ConvRows&) {
  note({Kind::conv2d_rows, x.planes.channels, y.channels, y.width, w.dim(2) * 16 + 1, w.dtype}, y.height,
       conv_operations(y, w));
}

void RecordingKernels::do_upsample_conv2d_rows(Planes y, std::int64_t, ConstPlanes x, const WeightView& w,
                                               const float*) {
  note({Kind::upsample_conv2d_rows, x.channels, y.channels, y.width, 3 * 16 + 1, w.dtype}, y.height,
       conv_operations(y, w));
}

}  // namespace engines
