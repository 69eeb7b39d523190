// SPDX-License-Identifier: Apache-2.0
// What products in bf16 cost a model: other kernels with the operands of their products rounded to bf16.
#pragma once

#include <memory>

#include "engines/kernels/kernels.h"

namespace engines::test {

// Everything by `exact`, but linear and attention with operands (also attention's probabilities) rounded to
// nearest even where the weights are stored in less than f32. One thread, except for what `exact` does.
std::unique_ptr<Kernels> make_rounding_kernels(std::unique_ptr<Kernels> exact);

}  // namespace engines::test
