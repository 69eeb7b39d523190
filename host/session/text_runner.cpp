// SPDX-License-Identifier: Apache-2.0
#include "host/session/text_runner.h"

#include "host/worker/ops/text.h"

namespace roundhouse::host {
namespace {

LeaseRequest text_lease(const TextPlan& plan, std::optional<KeepAlive> keep_alive) {
  LeaseRequest request;
  request.placement = plan;
  request.cost = text_cost();
  request.keep_alive = keep_alive;
  return request;
}

}  // namespace

Cost text_cost() {
  return {"text", 1};
}

TextRun TextRunner::run(const TextPlan& plan, std::optional<KeepAlive> keep_alive,
                        const std::atomic<bool>& cancelled, const TextRunEvents& events) {
  TextRun run;
  const auto write = [&](Lease& lease) {
    if (lease.is_cancelled()) throw Error(RH_CANCELLED, "cancelled before the engine had begun");
    TextEvents told = events;
    told.piece = [&](const TextPiece& piece) {
      if (events.piece) events.piece(piece);
      if (lease.is_cancelled()) lease.client().cancel();  // sooner than who watches the flag
    };
    run.text = write_text(lease.client(), plan.job, told);
    lease.call_ended(run.text.peak_memory_bytes);
  };
  run.lease = source_.lend(text_lease(plan, keep_alive), cancelled, events, write);
  run.lease.notes.insert(run.lease.notes.begin(), plan.notes.begin(), plan.notes.end());
  const std::lock_guard lock(mutex_);
  ++statistics_.texts;
  statistics_.prompt_tokens += run.text.prompt_tokens;
  statistics_.cached_tokens += run.text.cached_tokens;
  statistics_.answer_tokens += run.text.answer_tokens;
  return run;
}

RenderedPrompt TextRunner::render(const TextPlan& plan, std::optional<KeepAlive> keep_alive,
                                  const std::atomic<bool>& cancelled) {
  RenderedPrompt prompt;
  source_.lend(text_lease(plan, keep_alive), cancelled, {}, [&](Lease& lease) {
    prompt = render_prompt(lease.client(), plan.job);
    lease.call_ended(0);
  });
  return prompt;
}

TextRunner::Statistics TextRunner::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace roundhouse::host
