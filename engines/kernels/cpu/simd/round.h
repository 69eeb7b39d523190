// SPDX-License-Identifier: Apache-2.0
// Activations to bf16, for products that take no more.
#pragma once

#include <cstdint>

namespace engines::cpu {

// out[i] = the bits of the bf16 nearest to x[i], ties to even; beyond the greatest bf16 infinity, and every
// NaN a quiet one.
void round_to_bf16(std::uint16_t* out, const float* x, std::int64_t count);

}  // namespace engines::cpu
