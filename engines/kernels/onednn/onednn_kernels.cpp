// SPDX-License-Identifier: Apache-2.0
// Binds the products by oneDNN to the interface.
#include "engines/kernels/onednn/onednn_kernels.h"

#include <cassert>

#include "engines/kernels/cpu/cpu_kernels.h"
#include "engines/kernels/onednn/operations.h"

namespace engines {
namespace {

class OneDnnKernels final : public cpu::CpuKernels {
 public:
  OneDnnKernels(int threads, Dtype operands)
      : CpuKernels(threads), products_(std::make_shared<onednn::Products>()), operands_(operands) {
    if (operands == Dtype::bf16) exact_.reset(new OneDnnKernels(shared_context(), products_));
  }

  Dtype product_dtype(Dtype weights) const override { return weights == Dtype::f32 ? Dtype::f32 : operands_; }
  Kernels& exact() override { return exact_ ? *exact_ : *this; }

  std::vector<std::pair<std::string, std::string>> describe() const override {
    auto facts = CpuKernels::describe();
    facts.emplace_back("products", name_of(operands_));
    facts.emplace_back("onednn", onednn::library_version());
    facts.emplace_back("onednn.isa", onednn::instruction_set_name());
    return facts;
  }

 protected:
  void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) override {
    onednn::linear(tools(w.dtype), y, x, w, bias);
  }
  void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) override {
    onednn::attention(tools(shape.weights), out, q, k, v, shape);
  }
  void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                 const ConvShape& shape) override {
    onednn::conv2d(tools(w.dtype), y, x, w, bias, shape);
  }

 private:
  // The exact ones beside others.
  OneDnnKernels(std::shared_ptr<cpu::Context> context, std::shared_ptr<onednn::Products> products)
      : CpuKernels(std::move(context)), products_(std::move(products)), operands_(Dtype::f32) {}

  onednn::Tools tools(Dtype weights) { return {context(), *products_, product_dtype(weights)}; }

  std::shared_ptr<onednn::Products> products_;
  Dtype operands_;
  std::unique_ptr<OneDnnKernels> exact_;
};

}  // namespace

Dtype best_onednn_products() {
  return onednn::has_bf16_products() ? Dtype::bf16 : Dtype::f32;
}

std::unique_ptr<Kernels> make_onednn_kernels(int threads, Dtype products) {
  assert(products == Dtype::f32 || products == best_onednn_products());
  return std::make_unique<OneDnnKernels>(threads, products);
}

}  // namespace engines
