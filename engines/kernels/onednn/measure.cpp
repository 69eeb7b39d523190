// SPDX-License-Identifier: Apache-2.0
// oneDNN's own matrix product, against which the speed of everything else is judged.
#include <algorithm>
#include <chrono>

#include "engines/kernels/onednn/onednn_kernels.h"
#include "engines/kernels/onednn/operations.h"

namespace engines {

double measure_onednn_product(Dtype operands, int m, int n, int k, double seconds, int threads) {
  using Clock = std::chrono::steady_clock;
  ThreadPool pool(threads);
  onednn::Products products;
  const auto zeros = [](std::int64_t bytes) {
    FloatBuffer buffer(static_cast<std::size_t>(bytes) / sizeof(float) + 1);
    std::fill_n(buffer.data(), buffer.size(), 0.0f);
    return buffer;
  };
  const auto element = bytes_of(operands, 1);
  const auto rows = cpu::Blocks::of(m, (m + pool.threads() - 1) / pool.threads());
  const auto product_of = [&](std::int64_t block) -> const onednn::Product& {
    return products.of({operands, onednn::Form::any, false, rows.length(block), n, k, k, 0, n});
  };
  const FloatBuffer a = zeros(std::int64_t{m} * k * element);
  const FloatBuffer b = zeros(static_cast<std::int64_t>(product_of(0).bytes_of_b()));
  const FloatBuffer c = zeros(std::int64_t{m} * n * static_cast<std::int64_t>(sizeof(float)));
  const auto multiply = [&](std::int64_t block, int) {
    const std::int64_t first = rows.first(block);
    product_of(block).run(reinterpret_cast<const std::byte*>(a.data()) + first * k * element, b.data(),
                          c.data() + first * n);
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
