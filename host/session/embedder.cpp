// SPDX-License-Identifier: Apache-2.0
#include "host/session/embedder.h"

#include "host/session/text_runner.h"
#include "host/worker/ops/embed.h"

namespace roundhouse::host {

Cost embed_cost() {
  return {"embedding", 1};
}

EmbedRun Embedder::run(const EmbedPlan& plan, std::optional<KeepAlive> keep_alive,
                       const std::atomic<bool>& cancelled, const LeaseEvents& events) {
  LeaseRequest request;
  request.placement = plan;
  request.cost = embed_cost();
  request.keep_alive = keep_alive;
  EmbedRun run;
  run.lease = source_.lend(request, cancelled, events, [&](Lease& lease) {
    run.vectors.clear();  // the work may begin again
    run.report =
        embed(lease.client(), plan.job, [&](Embedding vector) { run.vectors.push_back(std::move(vector)); });
    lease.call_ended(run.report.peak_memory_bytes);
  });
  run.lease.notes.insert(run.lease.notes.begin(), plan.notes.begin(), plan.notes.end());
  return run;
}

}  // namespace roundhouse::host
