// SPDX-License-Identifier: Apache-2.0
// The one door to OpenBLAS.
#pragma once

#include <cstdint>
#include <string>

namespace engines::openblas {

enum class Form { plain, transposed };

// c[m,n] = a[m,k] * b + beta * c, with b[k,n] plain or b[n,k] transposed; beta 0 ignores what was in c. ld*
// are the distances between rows in floats. Runs on the calling thread; may be called from several at once.
void sgemm(Form b_form, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
           const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc);

// Makes every call of the process run on its calling thread alone. Measured on two cores, two calls at a time
// run at twice the rate of one for any shape, while OpenBLAS's own threads lose up to half at small shapes.
void use_calling_thread_only();

// Throws OUT_OF_MEMORY unless the address space (see ulimit -v) has room for the work buffers of that many
// calls at once: OpenBLAS asks again and again, for ever, when the system refuses it one.
void require_buffers(int calls);

std::string build_description();
std::string core_name();

}  // namespace engines::openblas
