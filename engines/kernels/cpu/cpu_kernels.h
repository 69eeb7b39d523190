// SPDX-License-Identifier: Apache-2.0
// What every fast engine for processors shares: threads, and everything between the products, vectorised for
// the processor at hand with Google Highway. A folder beside this one adds its products.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

class CpuKernels : public Kernels {
 public:
  // Uses up to `threads` threads (less than 1 means 1), the caller's included.
  explicit CpuKernels(int threads) : context_(std::make_shared<Context>(threads)) {}

  void rms_norm(Rows y, ConstRows x, const float* weight, float eps) final;
  void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) final;
  void layer_norm(Rows y, ConstRows x, const float* scale, float eps) final;
  void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                  float eps, bool silu) final;
  void add_moments(Moments* moments, ConstPlanes x) final;
  void silu_mul(Rows y, ConstRows a, ConstRows b) final;
  void add(Rows y, ConstRows x) final;
  void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) final;
  void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) final;
  void upsample_nearest_2x(Planes y, ConstPlanes x) final;

  // "threads" and "simd"; an engine adds what it knows of its products.
  std::vector<std::pair<std::string, std::string>> describe() const override;

 protected:
  // Kernels beside others, on the same threads: calls to the two do not overlap.
  explicit CpuKernels(std::shared_ptr<Context> context) : context_(std::move(context)) {}

  void do_conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w, const float* bias,
                      const ConvRows& how) final;
  void do_upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                               const float* bias) final;

  Context& context() { return *context_; }
  const std::shared_ptr<Context>& shared_context() const { return context_; }

 private:
  std::shared_ptr<Context> context_;
};

}  // namespace engines::cpu
