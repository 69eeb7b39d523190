// SPDX-License-Identifier: Apache-2.0
#include "engines/kernels/cpu/measure.h"

#include <algorithm>
#include <chrono>

namespace engines::cpu {
namespace {

// Small finite numbers as f32 and as bf16.
FloatBuffer filled(std::int64_t bytes) {
  FloatBuffer buffer(static_cast<std::size_t>(bytes) / sizeof(float) + 1);
  std::fill_n(buffer.data(), buffer.size(), 0.5f);
  return buffer;
}

}  // namespace

double measure_product(Products& products, Dtype operands, int m, int n, int k, double seconds, int threads) {
  using Clock = std::chrono::steady_clock;
  ThreadPool pool(threads);
  const auto rows = Blocks::of(m, (m + pool.threads() - 1) / pool.threads());
  const auto shape_of = [&](std::int64_t block) {
    return ProductShape{operands, Form::any, false, rows.length(block), n, k, k, k, n};
  };
  const FloatBuffer a = filled(bytes_of(operands, std::int64_t{m} * k));
  const FloatBuffer b = filled(products.bytes_of_b(shape_of(0)));
  const FloatBuffer c = filled(bytes_of(Dtype::f32, std::int64_t{m} * n));
  const auto multiply = [&](std::int64_t block, int) {
    const std::int64_t first = rows.first(block);
    const auto* from = reinterpret_cast<const std::byte*>(a.data()) + bytes_of(operands, first * k);
    products.multiply(shape_of(block), from, b.data(), c.data() + first * n);
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

}  // namespace engines::cpu
