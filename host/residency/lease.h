// SPDX-License-Identifier: Apache-2.0
// A loaded worker, lent for one task. What is done with it is no business of the lender's.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/residency/cost.h"
#include "host/residency/keep_alive.h"
#include "host/routing/placement.h"
#include "host/task/estimate.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {

struct LeaseRequest {
  // By place over a snapshot of the registry.
  Placement placement;
  // Of the task; none: the model is to be loaded, and no more.
  std::optional<Cost> cost;
  // Asks a worker that has not opened the model what the task takes; null: nobody can tell.
  std::function<Estimate(EngineClient&, const ModelSource&)> estimate;
  std::optional<KeepAlive> keep_alive;  // none = the lender's
  std::string digest;                   // of a stored model, for listings
};

struct LeaseReport {
  // As it was in the end: another engine may have taken the first one's place, which a note says.
  Placement placement;
  OpenResult opened;  // load_milliseconds is 0 where the model was loaded
  std::vector<std::string> notes;
  bool was_loaded = false;
  double waiting_milliseconds = 0;  // in the queue, loading not included
  double loading_milliseconds = 0;
};

struct QueuedEvent {
  std::uint32_t position = 0;  // requests that wait before this one; 0 = next
  double eta_seconds = 0;      // until it begins, from the requests before; 0 = unknown
};

struct LoadingEvent {
  std::string engine;
  double fraction = 0;  // 0 to 1, never falling while one engine loads
};

// On the way to a worker. Called on the thread that asked, one after the other. What one throws ends the
// request with just that.
struct LeaseEvents {
  std::function<void(const QueuedEvent&)> queued;  // at once when it has to wait, then when it moves up
  std::function<void(const LoadingEvent&)> loading;
  std::function<void(const LeaseReport&)> loaded;  // of every request, also where the model was there
};

// Used by the thread that has it, while its work runs.
class Lease {
 public:
  virtual ~Lease() = default;
  // With the model open.
  virtual EngineClient& client() = 0;
  virtual bool is_cancelled() const = 0;
  // A call went well; `peak_bytes` is the most that the worker took during it, 0 = not known.
  virtual void call_ended(std::uint64_t peak_bytes) = 0;
  virtual const LeaseReport& report() const = 0;
};

// May run again from its beginning, when a worker that was found loaded turns out to be dead before any of
// its calls went well.
using LeaseWork = std::function<void(Lease&)>;

class WorkerSource {
 public:
  virtual ~WorkerSource() = default;
  // Runs `work` (null: nothing) with a worker that has the placement's model open. `cancelled` is polled
  // about a hundred times a second; once it is set, CANCELLED is thrown, at work after the engine has
  // stopped. With automatic routing an engine that cannot be started is passed over; an explicit one never
  // is. Every failure is one Error, or what `work` or an event has thrown.
  virtual LeaseReport lend(const LeaseRequest& request, const std::atomic<bool>& cancelled,
                           const LeaseEvents& events, const LeaseWork& work) = 0;
};

// Which workers a placement can have: equal keys share them.
std::string worker_key(const Placement& placement);
// What people call them: the model, or the engine where it needs none.
std::string worker_name(const Placement& placement);

// `options` with the placement's device and engine options.
ClientOptions client_options(const Placement& placement, ClientOptions options);
// With the directory that the placement's model has on this machine.
ModelSource open_job(const Placement& placement);

}  // namespace roundhouse::host
