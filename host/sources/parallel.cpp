// SPDX-License-Identifier: Apache-2.0
#include "host/sources/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace roundhouse::host {

Stopped either(const Stopped& one, const Stopped& other) {
  return [one, other] { return (one && one()) || (other && other()); };
}

void run_parallel(std::size_t count, unsigned workers, const std::function<Piece(const Stopped&)>& worker) {
  std::atomic<std::size_t> next{0};
  std::atomic<bool> failed{false};
  std::mutex mutex;
  std::exception_ptr first;
  const auto loop = [&] {
    try {
      const Piece piece = worker([&failed] { return failed.load(); });
      for (std::size_t i = next++; i < count && !failed; i = next++)
        piece(i);
    } catch (...) {
      const std::scoped_lock lock(mutex);
      if (!first) first = std::current_exception();
      failed = true;
    }
  };
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < std::min<std::size_t>(count, workers); ++i)
      threads.emplace_back(loop);
  }
  if (first) std::rethrow_exception(first);
}

}  // namespace roundhouse::host
