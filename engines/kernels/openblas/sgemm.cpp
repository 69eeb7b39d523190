// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/openblas/sgemm.h"

#include <cblas.h>
#include <fmt/format.h>
#include <sys/mman.h>

#include "engines/tensor/error.h"

namespace engines::openblas {
namespace {
constexpr std::size_t kBufferBytes = std::size_t{128} << 20;  // BUFFER_SIZE of OpenBLAS 0.3.21 on x86-64
}

void sgemm(const cpu::ProductShape& shape, const float* a, const float* b, float* c) {
  const auto to_int = [](std::int64_t value) { return static_cast<blasint>(value); };
  cblas_sgemm(CblasRowMajor, CblasNoTrans, shape.form == cpu::Form::plain ? CblasNoTrans : CblasTrans,
              to_int(shape.m), to_int(shape.n), to_int(shape.k), 1.0f, a, to_int(shape.lda), b,
              to_int(shape.ldb), shape.add ? 1.0f : 0.0f, c, to_int(shape.ldc));
}

void use_calling_thread_only() {
  openblas_set_num_threads(1);
}

void require_buffers(int calls) {
  const std::size_t bytes = kBufferBytes * static_cast<std::size_t>(calls + 1);  // one for everything else
  void* const room =
      ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED) {
    throw Error(
        RH_OUT_OF_MEMORY,
        fmt::format("openblas needs {} MB of address space for its buffers, and the system refuses them",
                    bytes >> 20));
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
