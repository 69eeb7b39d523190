// SPDX-License-Identifier: Apache-2.0
// What the threads of a pool share: the schedule, the workers and the requests, behind one lock. Requests run
// on their callers' threads (pool_lease.h); one thread watches clocks, cancellations and workers, one ends
// workers that nobody waits for.
#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "host/residency/pool.h"
#include "host/residency/schedule.h"

namespace roundhouse::host {

// A request in the pool, owned by its thread; all but `cancelled` is guarded by the core's lock.
struct Ticket {
  using Id = Schedule::Id;
  explicit Ticket(const std::atomic<bool>& flag) : cancelled(flag) {}
  const std::atomic<bool>& cancelled;
  std::atomic<bool> stopped{false};  // by the pool
  Id id = 0;
  const Placement* placement = nullptr;  // its thread changes it only between two turns in the queue
  std::string key, name, digest;
  std::optional<Cost> cost;  // none: it wants the model loaded and no more
  std::optional<Schedule::Grant> grant;
  std::optional<Error> error;            // of loading, shared with those that wait for the same
  Id worker = 0;                         // while it works
  std::unique_ptr<EngineClient> client;  // its own of that worker; used by its thread, changed under the lock
  bool alone = true;                     // no other request was on its worker
  EngineClient* surveyor = nullptr;      // while it asks

  bool is_cancelled() const { return cancelled.load() || stopped.load(); }
};

// A worker that there is or will be.
struct Slot {
  std::string engine, device, architecture, digest;
  bool has_model = false;
  bool open = false;
  // Changed under the lock; used by the thread whose request loads. Requests have their own beside it.
  std::unique_ptr<EngineClient> client;
  OpenResult opened;
  std::uint64_t memory_limit = 0, grown_to = 0;  // bytes; grown_to: killed for that
  std::uint64_t requests = 0;
  bool crashed = false;
};

class PoolCore {
 public:
  using Id = Schedule::Id;
  using Clock = std::chrono::steady_clock;
  enum class End { unload, eviction, expiry, crash };  // why a worker goes

  PoolCore(SharedRegistry& registry, ClientOptions client, PoolLimits limits, ClientFactory factory);
  ~PoolCore();

  // ---- of a request, on its thread ----

  // Joins the queue. Throws QueueFull, CANCELLED.
  void enter(Ticket& ticket);
  // Waits until it is its turn. Throws CANCELLED, and what loading for another showed.
  Schedule::Grant wait(Ticket& ticket, const std::function<void(const QueuedEvent&)>& queued);
  // Back to where it came from, after its worker was given up.
  void requeue(Ticket& ticket);
  // Out of the pool, whatever it was given meanwhile.
  void leave(Ticket& ticket);

  // The slot of a granted worker, for the ticket that has it.
  Slot& slot(Id worker) const;
  void begin_load(Id worker);
  // What becomes of a ticket on a worker that was found loaded.
  enum class Joined {
    client,  // it has a client of its own
    reload,  // the worker is dead, and nobody else's: it is loading again, for this ticket
    requeue  // the worker is dead, and others will find out: the ticket is back in the queue
  };
  Joined join(Ticket& ticket);
  // The same after the ticket's client has found its worker dead.
  Joined rejoin(Ticket& ticket);
  void set_client(Id worker, std::unique_ptr<EngineClient> client);
  void set_surveyor(Ticket& ticket, EngineClient* client);
  void opened(Ticket& ticket, OpenResult result, double seconds);
  // Ends the process of a slot that stays; a new client follows.
  void drop_client(Id worker, End why);
  // The worker is idle from now on.
  void release(Ticket& ticket, KeepAlive keep, bool served);
  // Ends workers and forgets them; returns when they are gone.
  void end(const std::vector<Id>& workers, End why);
  // The same for the ticket's own.
  // (Where others are on it, the worker takes no more requests and ends after the last one.)
  void discard(Ticket& ticket, End why);
  // OUT_OF_MEMORY when the worker was killed for its size.
  std::optional<Error> memory_verdict(Id worker);

  // The engine has said what it takes, or (null) cannot.
  void surveyed(const Ticket& ticket, const Estimate* estimate);
  // The request ends without an answer; another may ask.
  void survey_failed(const Ticket& ticket);
  // Shares a failure of loading with those that wait for the same, where they would meet it, too.
  void load_failed(const Ticket& ticket, const Error& error);
  // Whether the failed probe says that the engine is of no use to anybody.
  bool is_hopeless(const std::string& engine, const Error& error);
  void probed(const std::string& engine);
  // The ticket's worker took that much at most during a call, 0 = not known.
  void call_ended(const Ticket& ticket, std::uint64_t peak_bytes);
  // A request was at work for so long.
  void worked(double seconds);
  template <typename Change>
  void count(Change&& change) {
    const std::lock_guard lock(mutex_);
    change(statistics_);
  }

  std::unique_ptr<EngineClient> make_client(const Placement& placement, const Registry& registry) const;
  SharedRegistry& registry() { return registry_; }
  const PoolLimits& limits() const { return limits_; }
  std::uint64_t memory_limit(const Placement& placement) const;

  // ---- of the pool's owner, any thread ----

  std::size_t unload(const std::string& name);
  std::size_t retire_engine(const std::string& engine);
  void pin(const std::string& name, bool pinned);
  std::vector<Resident> residents() const;
  PoolStatistics statistics() const;
  void shutdown(std::chrono::milliseconds grace);

 private:
  struct PendingEnd {
    Id worker = 0;
    End why = End::unload;
  };

  void dispatch();
  void note_company(Id worker);
  WeightFiles files_of(const Placement& placement) const;
  void expect(Ticket& ticket, WeightFiles files);
  double mean_seconds() const;
  Resident resident_of(const Schedule::Worker& worker) const;
  void watch();
  void look_at_requests();
  void look_at_memory();
  void look_at_idle();
  void reap();
  void end_later(const std::vector<Id>& workers, End why);
  Joined revive(Ticket& ticket, std::unique_lock<std::mutex>& lock);
  bool retire(Ticket& ticket, End why);

  SharedRegistry& registry_;
  const ClientOptions client_options_;
  const PoolLimits limits_;
  const ClientFactory factory_;

  mutable std::mutex mutex_;                   // guards all below
  std::condition_variable changed_, watched_;  // for everybody; for the watcher
  Schedule schedule_;
  std::map<Id, std::unique_ptr<Slot>> slots_;
  std::map<Id, Ticket*> tickets_;
  std::map<std::string, std::uint32_t>
      failures_;  // one after the other: of loading by key, of probes by engine
  PoolStatistics statistics_;
  double mean_seconds_ = 0;
  std::deque<PendingEnd> ends_;
  bool stopping_ = false, finished_ = false;
  std::thread watcher_, reaper_;
};

}  // namespace roundhouse::host
