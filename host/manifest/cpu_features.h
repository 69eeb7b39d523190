// SPDX-License-Identifier: Apache-2.0
// What the processor can do, as far as an engine's score and environment depend on it.
#pragma once

#include <string>
#include <string_view>

namespace roundhouse::host {

struct CpuFeatures {
  bool x86 = false, amd = false;
  bool avx2_fma = false;
  bool avx512 = false;  // F, CD, BW, DQ and VL together, usable under this kernel
  bool avx512_bf16 = false;
};
CpuFeatures cpu_features();

// By the names that manifests use: "avx2", "avx512", "avx512_bf16". A name that is not known is a feature
// that is not there.
bool has_feature(const CpuFeatures& features, std::string_view name);

// The OPENBLAS_CORETYPE that suits the processor; empty = leave the choice to OpenBLAS. Debian 12's OpenBLAS
// 0.3.21 knows no processor made after it and takes AMD's with AVX-512 (Zen 4 and later) for a Haswell, which
// halves its speed; by features alone the SkylakeX kernels are right for all of them.
std::string openblas_coretype(const CpuFeatures& features);

}  // namespace roundhouse::host
