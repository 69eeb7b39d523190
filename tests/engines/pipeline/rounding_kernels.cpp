// SPDX-License-Identifier: Apache-2.0
#include "tests/engines/pipeline/rounding_kernels.h"

#include <algorithm>
#include <cmath>

#include "tests/engines/kernels/nearest_bf16.h"

namespace engines::test {
namespace {

// Rows of their own, rounded.
class RoundedRows {
 public:
  explicit RoundedRows(ConstRows x) : rows_(x.rows), cols_(x.cols) {
    for (std::int64_t r = 0; r < x.rows; ++r)
      for (const float value : x.row_span(r))
        values_.push_back(nearest_bf16(value));
  }
  operator ConstRows() const { return {values_.data(), rows_, cols_}; }
  const float* row(std::int64_t r) const { return values_.data() + r * cols_; }

 private:
  std::vector<float> values_;
  std::int64_t rows_, cols_;
};

class RoundingKernels final : public Kernels {
 public:
  explicit RoundingKernels(std::unique_ptr<Kernels> exact) : exact_(std::move(exact)) {}

  Dtype product_dtype(Dtype weights) const override {
    return weights == Dtype::f32 ? Dtype::f32 : Dtype::bf16;
  }
  Kernels& exact() override { return *exact_; }
  std::vector<std::pair<std::string, std::string>> describe() const override { return exact_->describe(); }

  void rms_norm(Rows y, ConstRows x, const float* weight, float eps) override {
    exact_->rms_norm(y, x, weight, eps);
  }
  void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) override {
    exact_->add_rms_norm(y, x, weight, eps);
  }
  void layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps) override {
    exact_->layer_norm(y, x, scale, shift, eps);
  }
  void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                  float eps, bool silu) override {
    exact_->group_norm(y, x, groups, weight, bias, eps, silu);
  }
  void add_moments(Moments* moments, ConstPlanes x) override { exact_->add_moments(moments, x); }
  void silu_mul(Rows y, ConstRows a, ConstRows b) override { exact_->silu_mul(y, a, b); }
  void add(Rows y, ConstRows x) override { exact_->add(y, x); }
  void add_scaled(Rows y, ConstRows x, const float* scale) override { exact_->add_scaled(y, x, scale); }
  void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override {
    exact_->rope_interleaved(x, head_dim, cos, sin);
  }
  void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override {
    exact_->rope_half(x, head_dim, cos, sin);
  }
  void upsample_nearest_2x(Planes y, ConstPlanes x) override { exact_->upsample_nearest_2x(y, x); }

 protected:
  void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) override {
    if (w.dtype == Dtype::f32) return exact_->linear(y, x, w, bias);
    std::vector<float> weights = to_floats(w);
    std::ranges::transform(weights, weights.begin(), nearest_bf16);
    exact_->linear(y, RoundedRows(x),
                   {reinterpret_cast<const std::byte*>(weights.data()), Dtype::f32, w.shape}, bias);
  }

  void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) override {
    if (shape.weights == Dtype::f32) return exact_->attention(out, q, k, v, shape);
    const RoundedRows q_rounded(q), k_rounded(k), v_rounded(v);
    for (std::int64_t head = 0; head < shape.heads; ++head) {
      const std::int64_t column = head * shape.head_dim;
      const std::int64_t kv_column = head / (shape.heads / shape.kv_heads) * shape.head_dim;
      for (std::int64_t i = 0; i < q.rows; ++i) {
        const std::int64_t seen = shape.causal ? k.rows - q.rows + i + 1 : k.rows;
        const auto weights = probabilities(q_rounded.row(i) + column, k_rounded, kv_column, seen, shape);
        for (std::int64_t d = 0; d < shape.head_dim; ++d) {
          double sum = 0;
          for (std::int64_t j = 0; j < seen; ++j)
            sum += weights[static_cast<std::size_t>(j)] * v_rounded.row(j)[kv_column + d];
          out.row(i)[column + d] = static_cast<float>(sum);
        }
      }
    }
  }

  void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                 const ConvShape& shape) override {
    exact_->conv2d(y, x, w, bias, shape);
  }
  void do_conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w, const float* bias,
                      const ConvRows& how) override {
    exact_->conv2d_rows(y, first, x, w, bias, how);
  }
  void do_upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                               const float* bias) override {
    exact_->upsample_conv2d_rows(y, first, x, w, bias);
  }

 private:
  // Each rounded while the greatest is 1, then divided by their sum.
  static std::vector<double> probabilities(const float* q, const RoundedRows& k, std::int64_t kv_column,
                                           std::int64_t seen, const AttentionShape& shape) {
    std::vector<double> weights;
    for (std::int64_t j = 0; j < seen; ++j) {
      double score = 0;
      for (std::int64_t d = 0; d < shape.head_dim; ++d)
        score += double{q[d]} * k.row(j)[kv_column + d];
      weights.push_back(score * shape.scale);
    }
    const double greatest = *std::ranges::max_element(weights);
    double sum = 0;
    for (double& weight : weights)
      sum += weight = nearest_bf16(static_cast<float>(std::exp(weight - greatest)));
    for (double& weight : weights)
      weight /= sum;
    return weights;
  }

  std::unique_ptr<Kernels> exact_;
};

}  // namespace

std::unique_ptr<Kernels> make_rounding_kernels(std::unique_ptr<Kernels> exact) {
  return std::make_unique<RoundingKernels>(std::move(exact));
}

}  // namespace engines::test
