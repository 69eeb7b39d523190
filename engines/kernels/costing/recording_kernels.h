// SPDX-License-Identifier: Apache-2.0
// Kernels that compute nothing and note what they were asked for: a model run on them says what it would
// cost.
#pragma once

#include <cstdint>
#include <map>
#include <tuple>

#include "engines/kernels/kernels.h"

namespace engines {

// Operations of one kind and shape, of which any number of rows cost alike: rows of x (linear), of q
// (attention), or of output pixels (convolutions).
struct OperationShape {
  enum class Kind { linear, attention, conv2d, conv2d_rows, upsample_conv2d_rows };
  Kind kind{};
  std::int64_t inputs = 0, outputs = 0;  // k and n; head_dim and heads; channels
  std::int64_t extent = 0;  // rows of x at once (linear); rows of k (attention); the output's width
  std::int64_t detail = 0;  // kv_heads, negative when causal (attention); kernel, stride (convolution)
  Dtype weights = Dtype::f32;

  bool operator<(const OperationShape& other) const { return key() < other.key(); }

 private:
  std::tuple<Kind, std::int64_t, std::int64_t, std::int64_t, std::int64_t, Dtype> key() const {
    return {kind, inputs, outputs, extent, detail, weights};
  }
};

struct OperationAmount {
  std::uint64_t rows = 0;
  std::uint64_t operations = 0;
};

class RecordingKernels final : public Kernels {
 public:
  explicit RecordingKernels(std::uint64_t scratch_bytes = kUsualScratchBytes)
      : scratch_bytes_(scratch_bytes) {}

  // By shape, since the beginning or the last take.
  using Amounts = std::map<OperationShape, OperationAmount>;
  struct Work {
    Amounts amounts;
    std::uint64_t bytes = 0;  // read and written by everything that is not in amounts
    std::uint64_t operations = 0;
  };
  Work take();

  void rms_norm(Rows y, ConstRows x, const float* weight, float eps) override;
  void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) override;
  void layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps) override;
  void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                  float eps, bool silu) override;
  void add_moments(Moments* moments, ConstPlanes x) override;
  void silu_mul(Rows y, ConstRows a, ConstRows b) override;
  void add(Rows y, ConstRows x) override;
  void add_scaled(Rows y, ConstRows x, const float* scale) override;
  void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override;
  void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override;
  void upsample_nearest_2x(Planes y, ConstPlanes x) override;
  // Of the kernels that would do the work.
  std::uint64_t scratch_bytes() const override { return scratch_bytes_; }
  std::vector<std::pair<std::string, std::string>> describe() const override { return {}; }

 protected:
  void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) override;
  void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) override;
  void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                 const ConvShape& shape) override;
  void do_conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w, const float* bias,
                      const ConvRows& how) override;
  void do_upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                               const float* bias) override;

 private:
  void note(const OperationShape& shape, std::int64_t rows, std::uint64_t operations);
  void note_values(std::int64_t values);

  std::uint64_t scratch_bytes_;
  Work work_;
};

}  // namespace engines
