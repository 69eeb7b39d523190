// SPDX-License-Identifier: Apache-2.0
// The kernels of every fast engine for processors: threads, everything between the products, vectorised for
// the processor at hand with Google Highway, and the operations that are made of products. A folder beside
// this one adds the products.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/cpu/product_operations.h"
#include "engines/kernels/cpu/products.h"
#include "engines/kernels/kernels.h"

namespace engines::cpu {

class CpuKernels final : public Kernels {
 public:
  // Uses up to `threads` threads (less than 1 means 1), the caller's included. `operands` (f32, or bf16 where
  // the products take it): what those of linear, attention and conv2d are rounded to where weights are stored
  // in less than f32.
  CpuKernels(int threads, std::shared_ptr<Products> products, Dtype operands = Dtype::f32);

  void rms_norm(Rows y, ConstRows x, const float* weight, float eps) override;
  void add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) override;
  void layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps) override;
  void group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight, const float* bias,
                  float eps, bool silu) override;
  void add_moments(Moments* moments, ConstPlanes x) override;
  void silu_mul(Rows y, ConstRows a, ConstRows b) override;
  void gelu_tanh_mul(Rows y, ConstRows a, ConstRows b) override;
  void gelu(Rows y, ConstRows x) override;
  void add(Rows y, ConstRows x) override;
  void add_scaled(Rows y, ConstRows x, const float* scale) override;
  void rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override;
  void rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) override;
  void upsample_nearest_2x(Planes y, ConstPlanes x) override;

  Dtype product_dtype(Dtype weights) const override { return weights == Dtype::f32 ? Dtype::f32 : operands_; }
  Kernels& exact() override { return exact_ ? *exact_ : *this; }

  std::uint64_t scratch_bytes() const override { return products_->scratch_bytes(); }

  // "threads" and "simd", then what the products say of themselves.
  std::vector<std::pair<std::string, std::string>> describe() const override;

 protected:
  void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) override;
  void do_linear_by_rows(Rows y, ConstRows x, const WeightView& w, const float* bias) override;
  void do_paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape,
                          RowSums sums) override;
  void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) override;
  void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                 const ConvShape& shape) override;
  void do_conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w, const float* bias,
                      const ConvRows& how) override;
  void do_upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                               const float* bias) override;

 private:
  // The exact ones beside others, on the same threads: calls to the two do not overlap.
  CpuKernels(std::shared_ptr<Context> context, std::shared_ptr<Products> products);

  Tools tools(Dtype weights) { return {*context_, *products_, product_dtype(weights)}; }

  std::shared_ptr<Context> context_;
  std::shared_ptr<Products> products_;
  Dtype operands_ = Dtype::f32;
  std::unique_ptr<CpuKernels> exact_;
};

}  // namespace engines::cpu
