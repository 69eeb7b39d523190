// SPDX-License-Identifier: Apache-2.0
// Many requests at a daemon of their own: one after the other, and all at once.
#pragma once

#include <functional>

#include "host/cli/bench_serve.h"

namespace roundhouse::host {

// Runs `work` on that many threads, which begin it together; returns when all have ended. What one throws is
// thrown.
void on_threads(int threads, const std::function<void(int thread)>& work);

// Throws what a daemon answers other than an image or a cancellation, and CANCELLED after a signal.
void measure_cancelling(const Program& program, std::uint64_t cycles, CancelBench& bench);

void measure_crowd(const Program& program, int clients, CrowdBench& bench);

}  // namespace roundhouse::host
