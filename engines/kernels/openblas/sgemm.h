// SPDX-License-Identifier: Apache-2.0
// The one door to OpenBLAS.
#pragma once

#include <string>

#include "engines/kernels/cpu/products.h"

namespace engines::openblas {

// One product of floats on the calling thread; may be called from several at once. Form::any is transposed.
void sgemm(const cpu::ProductShape& shape, const float* a, const float* b, float* c);

// Makes every call of the process run on its calling thread alone. Measured on two cores, two calls at a time
// run at twice the rate of one for any shape, while OpenBLAS's own threads lose up to half at small shapes.
void use_calling_thread_only();

// Throws OUT_OF_MEMORY unless the address space (see ulimit -v) has room for the work buffers of that many
// calls at once: OpenBLAS asks again and again, for ever, when the system refuses it one.
void require_buffers(int calls);

std::string build_description();
std::string core_name();

}  // namespace engines::openblas
