// SPDX-License-Identifier: Apache-2.0
// Several transfers at once.
#pragma once

#include <cstddef>
#include <functional>

namespace roundhouse::host {

inline constexpr unsigned kMaximumTransfers = 16, kDefaultTransfers = 4;  // at once

// Asked by work that takes long; true: the result is not wanted any more.
using Stopped = std::function<bool()>;

// Does the pieces 0 to count - 1, at most `workers` at a time, each on one of as many threads, in order.
// `worker` is called once on each thread and returns what does a piece. When a piece throws, no other begins,
// `Stopped` is true for those at work, and the first error is thrown when all have ended. True when one of
// the two is; both may be empty.
Stopped either(const Stopped& one, const Stopped& other);

using Piece = std::function<void(std::size_t)>;
void run_parallel(std::size_t count, unsigned workers, const std::function<Piece(const Stopped&)>& worker);

}  // namespace roundhouse::host
