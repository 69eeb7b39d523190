// SPDX-License-Identifier: Apache-2.0
// The machine's own matrix product, against which the speed of everything else is judged.
#include <algorithm>
#include <chrono>

#include "engines/kernels/cpu/context.h"
#include "engines/kernels/openblas/openblas_kernels.h"
#include "engines/kernels/openblas/sgemm.h"

namespace engines {

double measure_sgemm(int m, int n, int k, double seconds, int threads) {
  using Clock = std::chrono::steady_clock;
  openblas::use_calling_thread_only();
  ThreadPool pool(threads);
  const auto filled = [](std::int64_t count, float value) {
    FloatBuffer buffer(static_cast<std::size_t>(count));
    std::fill_n(buffer.data(), count, value);
    return buffer;
  };
  const FloatBuffer a = filled(std::int64_t{m} * k, 0.5f);
  const FloatBuffer b = filled(std::int64_t{n} * k, 0.25f);
  const FloatBuffer c = filled(std::int64_t{m} * n, 0.0f);
  const auto rows = cpu::Blocks::of(m, (m + pool.threads() - 1) / pool.threads());
  const auto multiply = [&](std::int64_t block, int) {
    const std::int64_t first = rows.first(block);
    openblas::sgemm(openblas::Form::transposed, rows.length(block), n, k, a.data() + first * k, k, b.data(),
                    k, 0, c.data() + first * n, n);
  };

  auto best = Clock::duration::max();
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    pool.parallel_for(rows.count(), multiply);
    best = std::min(best, Clock::now() - start);
  } while (Clock::now() - begin < std::chrono::duration<double>(seconds));
  return 2.0 * m * n * k / std::chrono::duration<double>(best).count();
}

}  // namespace engines
