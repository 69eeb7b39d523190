// SPDX-License-Identifier: Apache-2.0
// Products by OpenBLAS, all in f32.
#include "engines/kernels/openblas/openblas_kernels.h"

#include <algorithm>

#include "engines/kernels/cpu/cpu_kernels.h"
#include "engines/kernels/cpu/measure.h"
#include "engines/kernels/openblas/sgemm.h"

namespace engines {
namespace {

// Of an unpacked weight: with cpu::linear's columns of a tile, what stays in the second-level cache.
constexpr std::int64_t kPanelDepth = 384;

class OpenBlasProducts final : public cpu::Products {
 public:
  OpenBlasProducts() { openblas::use_calling_thread_only(); }

  void multiply(const cpu::ProductShape& shape, const void* a, const void* b, float* c) override {
    openblas::sgemm(shape, static_cast<const float*>(a), static_cast<const float*>(b), c);
  }

  // Measured up to 128 rows, reading the stored weight is faster than packing it for the product. Each tile
  // of y packs its part of x and w anew, which costs as much as a few rows or columns more.
  cpu::ProductSizes sizes() const override { return {.skinny = 128, .tile = 512, .keys = 320}; }

  // Whole blocks of a quantised weight.
  cpu::Blocks cut_depth(std::int64_t k, const WeightView& w, bool in_place) const override {
    const std::int64_t block = block_length(w.dtype);
    return {k, in_place ? k : std::min(k, kPanelDepth / block * block)};
  }

  std::vector<std::pair<std::string, std::string>> describe() const override {
    return {{"blas", openblas::build_description()}, {"blas.core", openblas::core_name()}};
  }
};

}  // namespace

std::unique_ptr<Kernels> make_openblas_kernels(int threads) {
  openblas::require_buffers(std::max(1, threads));
  return std::make_unique<cpu::CpuKernels>(threads, std::make_shared<OpenBlasProducts>());
}

double measure_sgemm(int m, int n, int k, double seconds, int threads) {
  OpenBlasProducts products;
  return cpu::measure_product(products, Dtype::f32, m, n, k, seconds, threads);
}

}  // namespace engines
