// SPDX-License-Identifier: Apache-2.0
// One tensor from where it is mapped to where it is written, a few megabytes at a time.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "engines/convert/component_plan.h"
#include "engines/threading/thread_pool.h"

namespace engines::conversion {

// Sums over a tensor's elements x, stored as y.
struct RoundingError {
  double squares = 0;            // x * x
  double squares_of_errors = 0;  // (y - x) * (y - x)
};

// Gets the tensor's bytes in their order; throws to end it.
using PieceSink = std::function<void(const std::byte* data, std::size_t bytes)>;

// Converts on all threads of the pool; the sums do not depend on their number. `where` begins the message of
// CONVERSION_FAILED, which names the first element that is not finite or too great for the type.
RoundingError stream_tensor(const PlannedTensor& tensor, const std::string& where, ThreadPool& pool,
                            const PieceSink& sink);

}  // namespace engines::conversion
