// SPDX-License-Identifier: Apache-2.0
// Carries out plans of texts with workers of whatever source.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>

#include "host/residency/lease.h"
#include "host/session/text_session.h"

namespace roundhouse::host {

// Called on the thread that runs, one after the other, none after it has returned. What one throws ends the
// run with just that; the worker is told to stop.
struct TextRunEvents : LeaseEvents, TextEvents {};

struct TextRun {
  LeaseReport lease;  // its notes begin with the plan's
  TextReport text;
};

// Any thread, as far as its source allows.
class TextRunner {
 public:
  // The source must outlive it.
  explicit TextRunner(WorkerSource& source) : source_(source) {}

  // Throws what WorkerSource::lend throws.
  TextRun run(const TextPlan& plan, std::optional<KeepAlive> keep_alive, const std::atomic<bool>& cancelled,
              const TextRunEvents& events);
  // What the engine would read, the model being open.
  RenderedPrompt render(const TextPlan& plan, std::optional<KeepAlive> keep_alive,
                        const std::atomic<bool>& cancelled);

  struct Statistics {
    std::uint64_t texts = 0, prompt_tokens = 0, cached_tokens = 0, answer_tokens = 0;  // while it lives
  };
  Statistics statistics() const;

 private:
  WorkerSource& source_;
  mutable std::mutex mutex_;  // guards
  Statistics statistics_;
};

// The cost of one text, or one request of embeddings: engines make room for their conversations when they
// open a model, so that all weigh the same.
Cost text_cost();
Cost embed_cost();

}  // namespace roundhouse::host
