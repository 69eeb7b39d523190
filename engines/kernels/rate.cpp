// SPDX-License-Identifier: Apache-2.0
// A clock around linear.
#include "engines/kernels/rate.h"

#include <algorithm>
#include <chrono>

namespace engines {
namespace {

constexpr std::int64_t kSide = 768;  // whole blocks of every type
constexpr std::int64_t kFewestRows = 4, kMostRows = 256;

// A number that is neither small nor large in every type, whatever part of a block the byte falls on.
constexpr std::byte kByte{0x3c};

}  // namespace

double linear_rate(Kernels& kernels, Dtype weights, double seconds) {
  using Clock = std::chrono::steady_clock;
  using Seconds = std::chrono::duration<double>;
  const Kernels::Uncounted uncounted(kernels);
  const std::vector<std::byte> matrix(static_cast<std::size_t>(bytes_of(weights, kSide * kSide)), kByte);
  const WeightView w{matrix.data(), weights, {kSide, kSide}};
  std::vector<float> x(static_cast<std::size_t>(kMostRows * kSide), 0.5F), y(x.size());
  double best = 0;
  std::int64_t rows = kFewestRows;
  const auto begin = Clock::now();
  do {
    const auto start = Clock::now();
    kernels.linear({y.data(), rows, kSide}, {x.data(), rows, kSide}, w);
    const double took = std::max(Seconds(Clock::now() - start).count(), 1e-9);
    best = std::max(best, 2.0 * static_cast<double>(rows * kSide * kSide) / took);
    if (took * 4 < seconds) rows = std::min(rows * 8, kMostRows);
  } while (Seconds(Clock::now() - begin).count() < seconds);
  return best;
}

}  // namespace engines
