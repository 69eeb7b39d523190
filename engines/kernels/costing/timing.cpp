// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/costing/timing.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <vector>

namespace engines {
namespace {

using Kind = OperationShape::Kind;

// A slice is about this much work: some tens of milliseconds, and enough for every thread.
constexpr double kSliceOperations = 4e9;
constexpr int kRuns = 3;  // the first pays for cold caches and buffers

class Values {
 public:
  explicit Values(std::int64_t count) : buffer_(static_cast<std::size_t>(count)) {
    for (std::int64_t i = 0; i < count; ++i)
      buffer_.data()[i] = 0.001F * static_cast<float>(i % 1009 - 504);
  }
  float* data() const { return buffer_.data(); }

 private:
  FloatBuffer buffer_;
};

// Weights of any type whose bytes are all the same: small finite values.
struct Weights {
  Weights(Dtype dtype, std::vector<std::int64_t> shape) : view{nullptr, dtype, std::move(shape)} {
    bytes.assign(static_cast<std::size_t>(view.bytes()), std::byte{0x11});
    view.data = bytes.data();
  }
  std::vector<std::byte> bytes;
  WeightView view;
};

template <class Run>
double median_seconds(const Run& run) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int i = 0; i < kRuns; ++i) {
    const auto begin = Clock::now();
    run();
    times.push_back(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + kRuns / 2, times.end());
  return times[kRuns / 2];
}

std::int64_t rows_of_slice(double operations_per_row, std::int64_t all, std::int64_t least) {
  const auto rows =
      static_cast<std::int64_t>(std::ceil(kSliceOperations / std::max(1.0, operations_per_row)));
  return std::min(all, std::max(rows, least));
}

double time_linear(Kernels& kernels, const OperationShape& s) {
  const std::int64_t rows = std::min<std::int64_t>(s.extent, 1024);
  // With few rows, reading the weight is the work: all of it, so that no cache holds it.
  const std::int64_t outputs = rows < 256 ? s.outputs : std::min<std::int64_t>(s.outputs, 1024);
  const double per_row = 2.0 * static_cast<double>(s.inputs) * static_cast<double>(outputs);
  const Values x(rows * s.inputs), y(rows * outputs);
  const Weights w(s.weights, {outputs, s.inputs});
  return median_seconds([&] {
           kernels.linear({y.data(), rows, outputs}, {x.data(), rows, s.inputs}, w.view);
         }) /
         (per_row * static_cast<double>(rows));
}

double time_attention(Kernels& kernels, const OperationShape& s) {
  const bool causal = s.detail < 0;
  const std::int64_t group = s.outputs / std::abs(s.detail);
  const std::int64_t kv_heads = std::min<std::int64_t>(std::abs(s.detail), 6);
  const std::int64_t heads = kv_heads * group;
  const double per_row =
      4.0 * static_cast<double>(s.inputs * heads) * static_cast<double>(s.extent) / (causal ? 2 : 1);
  const std::int64_t rows = causal ? s.extent : rows_of_slice(per_row, s.extent, 512);
  const std::int64_t width = heads * s.inputs;
  const Values q(rows * width), out(rows * width), k(s.extent * width / group), v(s.extent * width / group);
  const AttentionShape shape{.heads = heads,
                             .kv_heads = kv_heads,
                             .head_dim = s.inputs,
                             .causal = causal,
                             .scale = 1 / std::sqrt(static_cast<float>(s.inputs)),
                             .weights = s.weights};
  return median_seconds([&] {
           kernels.attention({out.data(), rows, width}, {q.data(), rows, width},
                             {k.data(), s.extent, width / group}, {v.data(), s.extent, width / group}, shape);
         }) /
         (per_row * static_cast<double>(rows));
}

double time_convolution(Kernels& kernels, const OperationShape& s) {
  const std::int64_t kernel = s.detail / 16;
  const std::int64_t stride = s.detail % 16;
  const bool upsample = s.kind == Kind::upsample_conv2d_rows;
  const double per_row =
      2.0 * static_cast<double>(s.inputs * s.outputs * kernel * kernel) * static_cast<double>(s.extent);
  const std::int64_t rows = (rows_of_slice(per_row, 1024, 32) + 1) / 2 * 2;
  const std::int64_t in_rows = upsample ? rows / 2 : rows * stride;
  const std::int64_t in_cols = upsample ? s.extent / 2 : s.extent * stride;
  const Values x(s.inputs * in_rows * in_cols), y(s.outputs * rows * s.extent);
  const Weights w(s.weights, {s.outputs, s.inputs, kernel, kernel});
  const Planes to(y.data(), s.outputs, rows, s.extent);
  const ConstPlanes from(x.data(), s.inputs, in_rows, in_cols);
  const double seconds = median_seconds([&] {
    if (upsample) {
      kernels.upsample_conv2d_rows(to, 0, from, w.view, nullptr);
    } else if (s.kind == Kind::conv2d_rows) {
      kernels.conv2d_rows(to, 0, from, w.view, nullptr);
    } else {
      const std::int64_t before = kernel / 2;
      kernels.conv2d(to, from, w.view, nullptr, {kernel, stride, before, kernel - stride - before});
    }
  });
  return seconds / (per_row * static_cast<double>(rows));
}

}  // namespace

double WorkTimer::seconds_per_operation(const OperationShape& shape) {
  const auto place = known_.find(shape);
  if (place != known_.end()) return place->second;
  const double seconds = shape.kind == Kind::linear      ? time_linear(kernels_, shape)
                         : shape.kind == Kind::attention ? time_attention(kernels_, shape)
                                                         : time_convolution(kernels_, shape);
  known_.emplace(shape, seconds);
  return seconds;
}

double WorkTimer::seconds_per_byte() {
  if (per_byte_ > 0) return per_byte_;
  constexpr std::int64_t kRows = 1024;
  constexpr std::int64_t kCols = 4096;  // 16 MB each: beyond most caches
  const Values x(kRows * kCols), y(kRows * kCols);
  per_byte_ = median_seconds([&] {
                kernels_.add({y.data(), kRows, kCols}, {x.data(), kRows, kCols});
              }) /
              (3.0 * sizeof(float) * kRows * kCols);
  return per_byte_;
}

double WorkTimer::seconds(const RecordingKernels::Work& work) {
  double timed = 0;
  double counted = 0;
  for (const auto& [shape, amount] : work.amounts) {
    if (amount.operations * 1000 < work.operations) continue;
    timed += static_cast<double>(amount.operations) * seconds_per_operation(shape);
    counted += static_cast<double>(amount.operations);
  }
  const double products = counted > 0 ? timed * static_cast<double>(work.operations) / counted : 0;
  return products + static_cast<double>(work.bytes) * seconds_per_byte();
}

}  // namespace engines
