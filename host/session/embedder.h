// SPDX-License-Identifier: Apache-2.0
// Carries out plans of embeddings with workers of whatever source.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "host/residency/lease.h"
#include "host/session/text_session.h"

namespace roundhouse::host {

struct EmbedRun {
  LeaseReport lease;               // its notes begin with the plan's
  std::vector<Embedding> vectors;  // in the order of the texts
  EmbedReport report;
};

// Any thread, as far as its source allows.
class Embedder {
 public:
  // The source must outlive it.
  explicit Embedder(WorkerSource& source) : source_(source) {}

  // Throws what WorkerSource::lend throws.
  EmbedRun run(const EmbedPlan& plan, std::optional<KeepAlive> keep_alive, const std::atomic<bool>& cancelled,
               const LeaseEvents& events = {});

 private:
  WorkerSource& source_;
};

}  // namespace roundhouse::host
