// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/openblas/sgemm.h"

#include <cblas.h>

namespace engines::openblas {

void sgemm(Form b_form, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
           const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  const auto to_int = [](std::int64_t value) { return static_cast<blasint>(value); };
  cblas_sgemm(CblasRowMajor, CblasNoTrans, b_form == Form::plain ? CblasNoTrans : CblasTrans, to_int(m),
              to_int(n), to_int(k), 1.0f, a, to_int(lda), b, to_int(ldb), beta, c, to_int(ldc));
}

void use_calling_thread_only() {
  openblas_set_num_threads(1);
}

std::string build_description() {
  return openblas_get_config();
}

std::string core_name() {
  return openblas_get_corename();
}

}  // namespace engines::openblas
