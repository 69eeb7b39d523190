// SPDX-License-Identifier: Apache-2.0
// Kernels whose products are oneDNN's, in bf16 where the processor multiplies that at twice the rate.
#pragma once

#include <memory>

#include "engines/kernels/kernels.h"

namespace engines {

// bf16 where the processor has instructions for it (AVX512-BF16, AMX), else f32.
Dtype best_onednn_products();

// Uses up to `threads` threads (less than 1 means 1), the caller's included; results do not depend on how
// many. `products`: bf16, only where that is the best one, or f32.
//
// With bf16, operands of linear, attention and conv2d are rounded to bf16, to nearest even, where weights are
// stored in less than f32 (for attention, as its shape says); few rows or outputs are multiplied in float32.
// exact() shares threads and memory with this object: calls to the two do not overlap. Scratch memory is
// bounded by a few MiB per thread, the activations of one call and one convolution's weights, and kept.
// describe() adds "products", "onednn" (its version) and "onednn.isa" (the instructions that it makes use
// of).
std::unique_ptr<Kernels> make_onednn_kernels(int threads, Dtype products);

// The best rate, in floating-point operations per second, of c[m,n] = a[m,k] b over about `seconds`, with
// `threads` threads and b as oneDNN likes it best: each computes a block of rows of c. m, n and k are at
// least 1.
double measure_onednn_product(Dtype operands, int m, int n, int k, double seconds, int threads);

}  // namespace engines
