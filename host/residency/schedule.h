// SPDX-License-Identifier: Apache-2.0
// Who is next, on which worker, and who has to make room: the rules of pool.h as a value that knows neither
// threads nor processes nor clocks, and of a task only its cost. A worker works for as many requests at once
// as its capacity says. Not for use by two threads at once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/residency/keep_alive.h"
#include "host/residency/needs.h"
#include "host/residency/pool.h"

namespace roundhouse::host {

class Schedule {
 public:
  using Id = std::uint64_t;  // of a request or a worker; never used twice
  using Time = std::chrono::steady_clock::time_point;

  // limits.memory_bytes is the budget, not 0.
  explicit Schedule(const PoolLimits& limits);

  // ---- requests ----

  // `key` says which workers can do it; `name` is what `pin` and `unload` call them; without a cost it wants
  // the model loaded and no more. The key's need has to be expected (needs()) before.
  Id enqueue(const std::string& key, const std::string& name, const std::optional<Cost>& cost);
  // Takes it out of the queue; nothing when it is not there.
  void withdraw(Id request);
  // Puts a request that was granted back where it came from, perhaps with another key.
  void requeue(Id request, const std::string& key, const std::string& name, const std::optional<Cost>& cost);
  std::size_t waiting() const { return queue_.size(); }
  std::vector<Id> waiting_for(const std::string& key) const;
  // Requests that wait before it; none when it does not wait.
  std::optional<std::uint32_t> position(Id request) const;

  enum class Kind {
    start,   // on a loaded worker
    load,    // a worker is to be made, after `evicted` are gone
    survey,  // the engine is to be asked what the key takes; the request stays where it is, until `surveyed`
    refuse   // it can never fit: `message` says why, `hint` (may be empty) what to do; it is out of the queue
  };
  struct Grant {
    Kind kind = Kind::start;
    Id request = 0;
    Id worker = 0;            // start, load
    std::vector<Id> evicted;  // load, start: they are leaving
    std::string message, hint;
  };
  // The next thing that can be done, or none; to be called until there is none whenever anything has changed
  // or time has passed.
  std::optional<Grant> next(Time now);
  // The survey that was granted for that key has ended, with or without figures.
  void surveyed(const std::string& key) { surveying_.erase(key); }

  // ---- workers ----

  // The request has what it wanted of the worker. After the last one the worker is idle until `now` + `keep`,
  // or leaving when that was wished (true: end it).
  bool finish(Id worker, Id request, Time now, KeepAlive keep);
  // The request leaves a worker that is of no use any more: that takes no others, and leaves after its last
  // one (true: end it).
  bool retire(Id worker, Id request);
  void loading(Id worker) { workers_.at(worker).state = ResidentState::loading; }
  // Its model is open: it is at work, and takes `capacity` requests at once, at least 1.
  void opened(Id worker, std::uint32_t capacity = 1);
  // An idle one is of no use any more: it is leaving.
  void withdraw_worker(Id worker) { workers_.at(worker).state = ResidentState::leaving; }
  // It is gone, from whatever state.
  void remove(Id worker);
  // Idle ones whose time has come and that nobody waits for; they are leaving.
  std::vector<Id> expire(Time now);
  std::optional<Time> next_expiry() const;
  void pin(const std::string& name, bool pinned);
  bool pinned(const std::string& name) const { return pinned_.contains(name); }

  struct Worker {
    Id id = 0;
    std::string key, name;
    ResidentState state = ResidentState::loading;
    std::map<Id, std::optional<Cost>> requests;  // that it works for
    std::uint32_t capacity = 1;                  // of these at once
    Time last_used{};
    std::optional<Time> expires;  // when idle
    bool leaves = false;          // when it has finished
  };
  const std::map<Id, Worker>& workers() const { return workers_; }
  // Idle workers that `chosen` says are leaving and returned; those at work leave when they have finished.
  // `count` of both.
  std::vector<Id> unload(const std::function<bool(const Worker&)>& chosen, std::size_t& count);
  std::vector<Id> unload(const std::string& name, std::size_t& count);  // of that name; empty: all
  // What it counts with, at its largest.
  std::uint64_t work_bytes(const Worker& worker) const;
  std::uint64_t used_bytes() const { return total_bytes(uses({})); }
  std::uint32_t active() const;  // requests at work

  NeedTable& needs() { return needs_; }
  const NeedTable& needs() const { return needs_; }

 private:
  struct Waiting {
    Id id = 0;
    std::string key, name;
    std::optional<Cost> cost;
    std::uint32_t bypassed = 0;  // by how many that came later
    std::optional<Time> bypassed_since;
  };
  struct Room {  // how a request could begin
    Kind kind = Kind::start;
    std::vector<Id> evicted;
    std::string message, hint;
  };

  // Where and how it could begin now; `worker` is set for a loaded one.
  std::optional<Room> place(const Waiting& request, const Worker*& worker, Time now) const;
  std::optional<Room> make_room(const Waiting& request, const Worker* worker, bool may_evict, Time now) const;
  Grant grant(std::list<Waiting>::iterator request, const Worker* worker, Room room, Time now);
  std::vector<Id> victims(const Waiting& request, const Worker* worker, Time now) const;
  bool fits(const Need& need, const Worker* worker, const std::set<Id>& gone) const;
  bool devices_fit(const Need& need, const std::set<Id>& gone) const;
  bool is_starving(const Waiting& request, Time now) const;
  bool is_roomy(const Need& need) const;
  std::optional<std::string> impossible(const Waiting& request, const Need& need, const Worker* worker) const;
  const Worker* free_worker(const std::string& key) const;
  Use use_of(const Worker& worker) const;
  bool is_wanted(const std::string& key, Id except = 0) const;
  bool has_place(const Worker* worker, const std::set<Id>& gone) const;
  bool stays(const Worker& worker, const std::string& name, const std::set<Id>& gone) const;
  std::optional<std::string> without_place(const Waiting& request) const;
  std::vector<Use> uses(const std::set<Id>& gone) const;

  PoolLimits limits_;
  NeedTable needs_;
  std::list<Waiting> queue_;         // by their ids, which is as they came
  std::map<Id, Worker> workers_;     // by their ids
  std::set<std::string> surveying_;  // keys
  std::set<std::string> pinned_;     // names
  Id last_id_ = 0;
};

}  // namespace roundhouse::host
