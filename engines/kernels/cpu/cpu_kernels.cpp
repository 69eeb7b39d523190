// SPDX-License-Identifier: Apache-2.0
// Binds the operations of this folder to the interface.
#include "engines/kernels/cpu/cpu_kernels.h"

#include "engines/kernels/cpu/direct_conv2d.h"
#include "engines/kernels/cpu/operations.h"
#include "engines/kernels/cpu/simd/target.h"

namespace engines::cpu {

CpuKernels::CpuKernels(int threads, std::shared_ptr<Products> products, Dtype operands)
    : context_(std::make_shared<Context>(threads)), products_(std::move(products)), operands_(operands) {
  if (operands != Dtype::f32) exact_.reset(new CpuKernels(context_, products_));
}

CpuKernels::CpuKernels(std::shared_ptr<Context> context, std::shared_ptr<Products> products)
    : context_(std::move(context)), products_(std::move(products)) {
}

void CpuKernels::do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) {
  cpu::linear(tools(w.dtype), y, x, w, bias);
}

void CpuKernels::do_linear_by_rows(Rows y, ConstRows x, const WeightView& w, const float* bias) {
  cpu::linear_by_rows(*context_, y, x, w, bias);
}

void CpuKernels::do_paged_attention(Rows out, ConstRows q, const PagedKeys& seen, const AttentionShape& shape,
                                    RowSums sums) {
  if (sums == RowSums::alone)
    cpu::paged_attention_by_rows(*context_, out, q, seen, shape);
  else
    cpu::paged_attention(tools(shape.weights), out, q, seen, shape);
}

void CpuKernels::do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) {
  cpu::attention(tools(shape.weights), out, q, k, v, shape);
}

void CpuKernels::do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                           const ConvShape& shape) {
  cpu::conv2d(tools(w.dtype), y, x, w, bias, shape);
}

void CpuKernels::rms_norm(Rows y, ConstRows x, const float* weight, float eps) {
  cpu::rms_norm(*context_, y, x, weight, eps);
}

void CpuKernels::add_rms_norm(Rows y, ConstRows x, const float* weight, float eps) {
  cpu::add_rms_norm(*context_, y, x, weight, eps);
}

void CpuKernels::layer_norm(Rows y, ConstRows x, const float* scale, const float* shift, float eps) {
  cpu::layer_norm(*context_, y, x, scale, shift, eps);
}

void CpuKernels::group_norm(Planes y, ConstPlanes x, std::int64_t groups, const float* weight,
                            const float* bias, float eps, bool silu) {
  cpu::group_norm(*context_, y, x, groups, weight, bias, eps, silu);
}

void CpuKernels::add_moments(Moments* moments, ConstPlanes x) {
  cpu::add_moments(*context_, moments, x);
}

void CpuKernels::silu_mul(Rows y, ConstRows a, ConstRows b) {
  cpu::silu_mul(*context_, y, a, b);
}

void CpuKernels::gelu_tanh_mul(Rows y, ConstRows a, ConstRows b) {
  cpu::gelu_tanh_mul(*context_, y, a, b);
}

void CpuKernels::gelu(Rows y, ConstRows x) {
  cpu::gelu(*context_, y, x);
}

void CpuKernels::add(Rows y, ConstRows x) {
  cpu::add(*context_, y, x);
}

void CpuKernels::add_scaled(Rows y, ConstRows x, const float* scale) {
  cpu::add_scaled(*context_, y, x, scale);
}

void CpuKernels::rope_interleaved(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) {
  cpu::rope_interleaved(*context_, x, head_dim, cos, sin);
}

void CpuKernels::rope_half(Rows x, std::int64_t head_dim, ConstRows cos, ConstRows sin) {
  cpu::rope_half(*context_, x, head_dim, cos, sin);
}

void CpuKernels::upsample_nearest_2x(Planes y, ConstPlanes x) {
  cpu::upsample_nearest_2x(*context_, y, x);
}

void CpuKernels::do_conv2d_rows(Planes y, std::int64_t first, const Strip& x, const WeightView& w,
                                const float* bias, const ConvRows& how) {
  cpu::conv2d_rows(*context_, y, first, x, w, bias, how);
}

void CpuKernels::do_upsample_conv2d_rows(Planes y, std::int64_t first, ConstPlanes x, const WeightView& w,
                                         const float* bias) {
  cpu::upsample_conv2d_rows(*context_, y, first, x, w, bias);
}

std::vector<std::pair<std::string, std::string>> CpuKernels::describe() const {
  std::vector<std::pair<std::string, std::string>> facts = {
      {"threads", std::to_string(context_->pool.threads())}, {"simd", simd_name(simd_target_name())}};
  for (auto& fact : products_->describe())
    facts.push_back(std::move(fact));
  return facts;
}

}  // namespace engines::cpu
