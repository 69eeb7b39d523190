// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/onednn/onednn_kernels.h"

#include <cassert>

#include "engines/kernels/cpu/cpu_kernels.h"
#include "engines/kernels/cpu/measure.h"
#include "engines/kernels/onednn/product.h"

namespace engines {

Dtype best_onednn_products() {
  return onednn::has_bf16_products() ? Dtype::bf16 : Dtype::f32;
}

std::unique_ptr<Kernels> make_onednn_kernels(int threads, Dtype products) {
  assert(products == Dtype::f32 || products == best_onednn_products());
  return std::make_unique<cpu::CpuKernels>(threads, std::make_shared<onednn::OneDnnProducts>(products),
                                           products);
}

double measure_onednn_product(Dtype operands, int m, int n, int k, double seconds, int threads) {
  onednn::OneDnnProducts products(operands);
  return cpu::measure_product(products, operands, m, n, k, seconds, threads);
}

}  // namespace engines
