// SPDX-License-Identifier: Apache-2.0
// The machine's own matrix product, against which the speed of everything else is judged.
#pragma once

#include "engines/kernels/cpu/products.h"

namespace engines::cpu {

// The best rate, in floating-point operations per second, of c[m,n] = a[m,k] b over about `seconds`, with
// `threads` threads and b as the library likes it best: each computes a block of rows of c. m, n and k are at
// least 1.
double measure_product(Products& products, Dtype operands, int m, int n, int k, double seconds, int threads);

}  // namespace engines::cpu
