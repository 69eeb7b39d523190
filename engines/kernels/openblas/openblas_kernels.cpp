// SPDX-License-Identifier: Apache-2.0
// Binds the products by OpenBLAS to the interface.
#include "engines/kernels/openblas/openblas_kernels.h"

#include "engines/kernels/cpu/cpu_kernels.h"
#include "engines/kernels/openblas/operations.h"
#include "engines/kernels/openblas/sgemm.h"

namespace engines {
namespace {

class OpenBlasKernels final : public cpu::CpuKernels {
 public:
  explicit OpenBlasKernels(int threads) : CpuKernels(threads) {
    openblas::require_buffers(context().pool.threads());
    openblas::use_calling_thread_only();
  }

  std::vector<std::pair<std::string, std::string>> describe() const override {
    auto facts = CpuKernels::describe();
    facts.emplace_back("blas", openblas::build_description());
    facts.emplace_back("blas.core", openblas::core_name());
    return facts;
  }

 protected:
  void do_linear(Rows y, ConstRows x, const WeightView& w, const float* bias) override {
    openblas::linear(context(), y, x, w, bias);
  }
  void do_attention(Rows out, ConstRows q, ConstRows k, ConstRows v, const AttentionShape& shape) override {
    openblas::attention(context(), out, q, k, v, shape);
  }
  void do_conv2d(Planes y, ConstPlanes x, const WeightView& w, const float* bias,
                 const ConvShape& shape) override {
    openblas::conv2d(context(), y, x, w, bias, shape);
  }
};

}  // namespace

std::unique_ptr<Kernels> make_openblas_kernels(int threads) {
  return std::make_unique<OpenBlasKernels>(threads);
}

}  // namespace engines
