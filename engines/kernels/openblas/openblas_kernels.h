// SPDX-License-Identifier: Apache-2.0
// Fast kernels for any CPU: products by OpenBLAS, everything between them vectorised with Google Highway.
#pragma once

#include <memory>

#include "engines/kernels/kernels.h"

namespace engines {

// Uses up to `threads` threads (less than 1 means 1), the caller's included; results do not depend on how
// many. OpenBLAS itself is set to one thread per call, for the whole process: separate products run at the
// same time instead. Scratch memory is bounded by a few MiB per thread plus one convolution's weights, and
// kept. describe() adds "blas" (OpenBLAS's build) and "blas.core" (the processor that it takes this one for;
// a person can correct it with OPENBLAS_CORETYPE before the library is loaded).
std::unique_ptr<Kernels> make_openblas_kernels(int threads);

// The best rate, in floating-point operations per second, of c[m,n] = a[m,k] b[n,k]^T over about `seconds`,
// with `threads` threads in the way that is fastest: each computes a block of rows of c with plain
// cblas_sgemm.
double measure_sgemm(int m, int n, int k, double seconds, int threads);

}  // namespace engines
