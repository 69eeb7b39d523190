// SPDX-License-Identifier: Apache-2.0
// The sinusoid that tells the transformer how far sampling is.
#pragma once

#include <span>

namespace engines {

// out[i] = cos(t * f_i), out[n + i] = sin(t * f_i), f_i = exp(-ln(10000) * i / n), n = out.size() / 2.
// In float like the reference, whose arguments near 1000 are rounded by 3e-5: that is part of the model.
void timestep_sinusoid(float t, std::span<float> out);

}  // namespace engines
