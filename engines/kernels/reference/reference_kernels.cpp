// SPDX-License-Identifier: Apache-2.0
// Binds the plain operations to the interface.
#include "engines/kernels/reference/operations.h"

namespace engines {
namespace {

class ReferenceKernels final : public Kernels {
 public:
  void rms_norm(Rows y, ConstRows x, const float* weight, float eps) override {
    reference::rms_norm(y, x, weight, eps);
  }
  void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) override {
    reference::add_rms_norm(y, x, weight, eps);
  }
  void layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps) override {
    reference::layer_norm(y, x, scale, shift, eps);
  }
  void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                  float eps, bool silu) override {
    reference::group_norm(y, x, groups, weight, bias, eps, silu);
  }
  void silu_mul(Rows y, ConstRows a, ConstRows b) override { reference::silu_mul(y, a, b); }
  void add(Rows y, ConstRows x) override { reference::add(y, x); }
  void add_scaled(Rows y, ConstRows x, const float* scale) override { reference::add_scaled(y, x, scale); }
  void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override {
    reference::rope_interleaved(x, head_dim, cos, sin);
  }
  void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override {
    reference::rope_half(x, head_dim, cos, sin);
  }
  void upsample_nearest_2x(Planes y, ConstPlanes x) override { reference::upsample_nearest_2x(y, x); }

  std::vector<std::pair<std::string, std::string>> describe() const override {
    return {{"threads", "1"}, {"simd", "none"}};
  }

 protected:
  void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) override {
    reference::linear(y, x, w, bias);
  }
  void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) override {
    reference::attention(out, q, k, v, shape);
  }
  void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                 const ConvShape& shape) override {
    reference::conv2d(y, x, w, bias, shape);
  }
};

}  // namespace

std::unique_ptr<Kernels> make_reference_kernels() {
  return std::make_unique<ReferenceKernels>();
}

}  // namespace engines
