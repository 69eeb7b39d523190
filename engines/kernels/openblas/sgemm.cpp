// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/openblas/sgemm.h"

#include <cblas.h>
#include <sys/mman.h>

#include "engines/tensor/error.h"

namespace engines::openblas {
namespace {
constexpr std::size_t kBufferBytes = std::size_t{128} << 20;  // BUFFER_SIZE of OpenBLAS 0.3.21 on x86-64
}

void sgemm(Form b_form, std::int64_t m, std::int64_t n, std::int64_t k, const float* a, std::int64_t lda,
           const float* b, std::int64_t ldb, float beta, float* c, std::int64_t ldc) {
  const auto to_int = [](std::int64_t value) { return static_cast<blasint>(value); };
  cblas_sgemm(CblasRowMajor, CblasNoTrans, b_form == Form::plain ? CblasNoTrans : CblasTrans, to_int(m),
              to_int(n), to_int(k), 1.0f, a, to_int(lda), b, to_int(ldb), beta, c, to_int(ldc));
}

void use_calling_thread_only() {
  openblas_set_num_threads(1);
}

void require_buffers(int calls) {
  const std::size_t bytes = kBufferBytes * static_cast<std::size_t>(calls + 1);  // one for everything else
  void* const room =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) {
    throw Error(RH_OUT_OF_MEMORY, "openblas needs " + std::to_string(bytes >> 20) +
                                      " MB of address space for its buffers, and the system refuses them");
  }
  ::munmap(room, bytes);
}

std::string build_description() {
  return openblas_get_config();
}

std::string core_name() {
  return openblas_get_corename();
}

}  // namespace engines::openblas
