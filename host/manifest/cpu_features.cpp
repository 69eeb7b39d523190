// SPDX-License-Identifier: Apache-2.0
// CPUID by way of the compiler, which also asks whether the kernel saves the registers.
#include "host/manifest/cpu_features.h"

namespace roundhouse::host {

CpuFeatures cpu_features() {
  CpuFeatures features;
#if defined(__x86_64__)
  __builtin_cpu_init();
  features.x86 = true;
  features.amd = __builtin_cpu_is("amd") != 0;
  features.avx2_fma = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  features.avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512vl");
  features.avx512_bf16 = features.avx512 && __builtin_cpu_supports("avx512bf16");
#endif
  return features;
}

bool has_feature(const CpuFeatures& features, std::string_view name) {
  if (name == "avx2") return features.avx2_fma;
  if (name == "avx512") return features.avx512;
  if (name == "avx512_bf16") return features.avx512_bf16;
  return false;
}

std::string openblas_coretype(const CpuFeatures& features) {
  if (!features.x86) return "";
  if (features.avx512) return "SkylakeX";
  if (features.avx2_fma) return features.amd ? "Zen" : "Haswell";
  return "";
}

}  // namespace roundhouse::host
