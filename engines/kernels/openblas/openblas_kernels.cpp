// SPDX-License-Identifier: Apache-2.0
// Binds the fast operations to the interface.
#include "engines/kernels/openblas/openblas_kernels.h"

#include "engines/kernels/openblas/operations.h"
#include "engines/kernels/openblas/sgemm.h"
#include "engines/kernels/openblas/simd/target.h"

namespace engines {
namespace {

class OpenBlasKernels final : public Kernels {
 public:
  explicit OpenBlasKernels(int threads) : context_(threads) {
    openblas::require_buffers(context_.pool.threads());
    openblas::use_calling_thread_only();
  }

  void rms_norm(Rows y, ConstRows x, const float* weight, float eps) override {
    openblas::rms_norm(context_, y, x, weight, eps);
  }
  void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) override {
    openblas::add_rms_norm(context_, y, x, weight, eps);
  }
  void layer_norm(Rows y, ConstRows x, const float* scale, float eps) override {
    openblas::layer_norm(context_, y, x, scale, eps);
  }
  void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                  float eps, bool silu) override {
    openblas::group_norm(context_, y, x, groups, weight, bias, eps, silu);
  }
  void silu_mul(Rows y, ConstRows a, ConstRows b) override { openblas::silu_mul(context_, y, a, b); }
  void add(Rows y, ConstRows x) override { openblas::add(context_, y, x); }
  void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override {
    openblas::rope_interleaved(context_, x, head_dim, cos, sin);
  }
  void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override {
    openblas::rope_half(context_, x, head_dim, cos, sin);
  }
  void upsample_nearest_2x(Planes y, ConstPlanes x) override {
    openblas::upsample_nearest_2x(context_, y, x);
  }

  std::vector<std::pair<std::string, std::string>> describe() const override {
    return {{"threads", std::to_string(context_.pool.threads())},
            {"simd", openblas::simd_target_name()},
            {"blas", openblas::build_description()},
            {"blas.core", openblas::core_name()}};
  }

 protected:
  void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) override {
    openblas::linear(context_, y, x, w, bias);
  }
  void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) override {
    openblas::attention(context_, out, q, k, v, shape);
  }
  void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                 const ConvShape& shape) override {
    openblas::conv2d(context_, y, x, w, bias, shape);
  }

 private:
  openblas::Context context_;
};

}  // namespace

std::unique_ptr<Kernels> make_openblas_kernels(int threads) {
  return std::make_unique<OpenBlasKernels>(threads);
}

}  // namespace engines
