// SPDX-License-Identifier: Apache-2.0
// How fast kernels multiply here, by what weights are stored as.
#pragma once

#include "engines/kernels/kernels.h"

namespace engines {

// The best rate of `linear` over about `seconds`, in floating-point operations per second (2 per
// multiply-add): a square matrix of weights of that type, as large as those of a small transformer, times as
// many rows as the time allows, 256 at most. One call is made in any case. Counts no operations.
double linear_rate(Kernels& kernels, Dtype weights, double seconds);

}  // namespace engines
