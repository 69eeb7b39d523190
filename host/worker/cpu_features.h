// SPDX-License-Identifier: Apache-2.0
// What the processor can do, as far as an engine's environment depends on it.
#pragma once

#include <string>

namespace roundhouse::host {

struct CpuFeatures {
  bool x86 = false, amd = false;
  bool avx2_fma = false;
  bool avx512 = false;  // F, CD, BW, DQ and VL together, usable under this kernel
};
CpuFeatures cpu_features();

// The OPENBLAS_CORETYPE that suits the processor; empty = leave the choice to OpenBLAS. Debian 12's OpenBLAS
// 0.3.21 knows no processor made after it and takes AMD's with AVX-512 (Zen 4 and later) for a Haswell, which
// halves its speed; by features alone the SkylakeX kernels are right for all of them.
std::string openblas_coretype(const CpuFeatures& features);

}  // namespace roundhouse::host
