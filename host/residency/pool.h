// SPDX-License-Identifier: Apache-2.0
// Which models are loaded, who waits for them, and who works: the daemon's owner of workers.
//
// One worker process for each (engine, device, model directory, engine and model options, memory limit), or
// as many as `PoolLimits::parallel`. A request waits in one queue, is given a worker (an idle one, one whose
// model takes another call beside those at work, or one that is loaded for it, after others were evicted
// where they must be) and works on the thread that called `lend`.
//
// Order: first come, first served within a model. Between models, a request that needs a model which has no
// room waits, while requests that came later for models that are loaded may go first: at most
// `bypass_requests` of them, and none once it has been waiting so for `bypass_time`. Then nobody who came
// later begins before it, and the models of those who wait lose their protection: the least recently used
// idle one makes room. A busy or pinned model is never evicted: who needs its place waits for a busy one, and
// is refused at once (OUT_OF_MEMORY) where loaded pinned models have all places. Of several workers of a
// pinned model one stays.
//
// Memory: a model counts with what it holds while it is idle, and with its peak while it works, files that
// several have mapped once. Its first load is taken to need its size on disk as long as twice that would fit
// easily; where it is in doubt the engine is asked (rh.estimate/1, about a second, once for a model and its
// options). After the first task the kernel's figures count. Other costs are scaled. A device of its own has
// a budget of its own. Every worker is told the whole budget as its limit, unless the request sets a lower
// one, and engines plan within it; one whose memory that cannot be given back grows beyond its limit is
// killed: OUT_OF_MEMORY.
//
// Faults: a worker that dies, hangs or talks nonsense fails the requests that it works for and no others;
// those that wait go on with a fresh one. A worker that died while idle is replaced without anybody noticing.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/registry/shared_registry.h"
#include "host/residency/keep_alive.h"
#include "host/residency/one_worker.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {

struct PoolLimits {
  KeepAlive keep_alive{300'000};   // of requests that say nothing
  std::uint32_t max_loaded = 3;    // workers, at least 1
  std::uint32_t max_active = 0;    // requests at work at once; 0 = as many as there are workers
  std::uint32_t parallel = 1;      // workers of one model, at least 1; all but the first only where there is
                                   // room without evicting others
  std::uint32_t queue = 64;        // requests that may wait, beyond those at work; more is QUEUE_FULL
  std::uint64_t memory_bytes = 0;  // of all workers together; 0 = what is available when the pool begins
                                   // (MemAvailable, control group)
  // Of the memory of devices other than the processor, by device; one that is not here has no bound.
  std::map<std::string, std::uint64_t> device_bytes;
  std::vector<std::string> pinned;  // names of models that are neither evicted nor unloaded for being idle
  std::uint32_t bypass_requests = 8;
  std::chrono::milliseconds bypass_time{30'000};
  std::chrono::milliseconds load_timeout{300'000};  // how long loading may show no sign of life; 0 = for ever
  std::chrono::milliseconds silence_timeout{300'000};  // likewise an image's work
};

// QUEUE_FULL with advice when to come back.
class QueueFull : public Error {
 public:
  QueueFull(const std::string& message, std::uint32_t retry_after_seconds)
      : Error(RH_QUEUE_FULL, message), retry_after_seconds_(retry_after_seconds) {}
  // At least 1: how long the queue will take to move up, as far as that can be told.
  std::uint32_t retry_after_seconds() const noexcept { return retry_after_seconds_; }

 private:
  std::uint32_t retry_after_seconds_;
};

enum class ResidentState { loading, idle, busy, leaving };
std::string state_name(ResidentState state);  // "loading", ...

// A worker, as `ps` shows it.
struct Resident {
  std::string name;  // of the model; of the engine where it needs none
  std::string engine, device, architecture, digest;
  bool has_model = false;  // else its engine needs none
  ResidentState state = ResidentState::loading;
  std::uint64_t estimated_bytes = 0;  // what it counts with in the budget, at work
  std::uint64_t resident_bytes = 0;   // what its process has now; 0 = no process
  // When it is unloaded unless a request comes; none = never, or it is at work.
  std::optional<std::chrono::system_clock::time_point> expires_at;
  bool pinned = false;
  std::uint64_t requests = 0;  // served, the present one not included
  std::uint32_t parallel = 1;  // workers of this model that there may be
  std::int64_t process = 0;    // its number; 0 = none
};

// Counters rise for as long as the pool lives; the others are of this moment.
struct PoolStatistics {
  std::uint32_t waiting = 0, active = 0, loading = 0, loaded = 0;    // loaded: idle or busy workers
  std::uint64_t served = 0, failed = 0, cancelled = 0, refused = 0;  // requests; refused: QUEUE_FULL
  std::uint64_t calls = 0;                                           // of workers that went well
  std::uint64_t loads = 0, load_failures = 0, unloads = 0;           // unloads: for any reason
  std::uint64_t evictions = 0, expirations = 0;                      // of the unloads
  std::uint64_t crashes = 0, memory_kills = 0;  // workers that died, or grew beyond their limit
  double load_seconds = 0, unload_seconds = 0, waiting_seconds = 0, working_seconds = 0;  // sums
  std::uint64_t memory_budget_bytes = 0, memory_estimated_bytes = 0, memory_resident_bytes = 0;
};

// All functions may be called from any thread at the same time, but nothing after the destructor has begun.
class ModelPool : public WorkerSource {
 public:
  // `client`: threads, executable, log and timeouts of the workers; device, options and the two timeouts of
  // `limits` are filled in. `registry` must outlive the pool.
  ModelPool(SharedRegistry& registry, ClientOptions client, PoolLimits limits,
            ClientFactory factory = make_worker_client);
  // shutdown(0).
  ~ModelPool() override;
  ModelPool(const ModelPool&) = delete;
  ModelPool& operator=(const ModelPool&) = delete;

  // From queueing to the end of the work. Throws besides what WorkerSource says: QueueFull; OUT_OF_MEMORY
  // with the figures for what can never fit; CANCELLED when the pool shuts down, and at the latest after
  // timeouts.cancel for an engine that does not stop: then its worker is killed.
  LeaseReport lend(const LeaseRequest& request, const std::atomic<bool>& cancelled, const LeaseEvents& events,
                   const LeaseWork& work) override;

  // Unloads the workers of that name (a model's, or an engine's where it needs no model), pinned or not: idle
  // ones before it returns, others when their request is done. Returns how many there were.
  std::size_t unload(const std::string& name);
  std::size_t unload_all();
  // For an engine whose files changed or went: its idle workers end soon, those at work after their request;
  // none takes another. Returns how many there were; does not wait.
  std::size_t retire_engine(const std::string& engine);

  // Takes effect at once; a model need not be loaded.
  void pin(const std::string& name, bool pinned);

  std::vector<Resident> residents() const;  // the most recently used first
  PoolStatistics statistics() const;
  const PoolLimits& limits() const;  // memory_bytes: the budget that was found

  // From now on every request is refused with CANCELLED, those that wait are cancelled at once, those at work
  // after `grace`; returns when all leases have ended and every worker is gone.
  void shutdown(std::chrono::milliseconds grace);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace roundhouse::host
