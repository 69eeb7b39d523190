// SPDX-License-Identifier: Apache-2.0
// The rules of pool.h: who is next, and what becomes of workers.
#include "host/residency/schedule.h"

#include <algorithm>
#include <utility>

namespace roundhouse::host {
Schedule::Schedule(const PoolLimits& limits)
    : limits_(limits), pinned_(limits.pinned.begin(), limits.pinned.end()) {
}

// ---- requests ----

Schedule::Id Schedule::enqueue(const std::string& key, const std::string& name,
                               const std::optional<Cost>& cost) {
  requeue(++last_id_, key, name, cost);
  return last_id_;
}

void Schedule::requeue(Id request, const std::string& key, const std::string& name,
                       const std::optional<Cost>& cost) {
  const auto place =
      std::ranges::find_if(queue_, [&](const Waiting& waiting) { return waiting.id > request; });
  queue_.insert(place, {request, key, name, cost, 0, std::nullopt});
}

void Schedule::withdraw(Id request) {
  std::erase_if(queue_, [&](const Waiting& waiting) { return waiting.id == request; });
}

std::vector<Schedule::Id> Schedule::waiting_for(const std::string& key) const {
  std::vector<Id> ids;
  for (const Waiting& waiting : queue_) {
    if (waiting.key == key) ids.push_back(waiting.id);
  }
  return ids;
}

std::optional<std::uint32_t> Schedule::position(Id request) const {
  std::uint32_t before = 0;
  for (const Waiting& waiting : queue_) {
    if (waiting.id == request) return before;
    ++before;
  }
  return std::nullopt;
}

bool Schedule::is_starving(const Waiting& request, Time now) const {
  return request.bypassed >= limits_.bypass_requests ||
         (request.bypassed_since && now - *request.bypassed_since >= limits_.bypass_time);
}

std::optional<Schedule::Grant> Schedule::next(Time now) {
  std::set<std::string> blocked;
  for (auto request = queue_.begin(); request != queue_.end(); ++request) {
    if (blocked.contains(request->key)) continue;
    const Worker* worker = nullptr;
    if (std::optional<Room> room = place(*request, worker, now)) {
      return grant(request, worker, std::move(*room), now);
    }
    blocked.insert(request->key);
    if (is_starving(*request, now)) break;
  }
  return std::nullopt;
}

Schedule::Grant Schedule::grant(std::list<Waiting>::iterator request, const Worker* worker, Room room,
                                Time now) {
  Grant grant{room.kind,    request->id,  worker != nullptr ? worker->id : 0,
              room.evicted, room.message, room.hint};
  if (room.kind == Kind::survey) {
    surveying_.insert(request->key);
    return grant;
  }
  if (room.kind != Kind::refuse) {
    for (const Id id : room.evicted)
      workers_.at(id).state = ResidentState::leaving;
    if (room.kind == Kind::load) {
      grant.worker = ++last_id_;
      Worker fresh;
      fresh.id = grant.worker;
      fresh.key = request->key;
      fresh.name = request->name;
      fresh.last_used = now;
      workers_[grant.worker] = std::move(fresh);
    } else {
      workers_.at(grant.worker).state = ResidentState::busy;
    }
    Worker& chosen = workers_.at(grant.worker);
    chosen.requests[request->id] = request->cost;
    chosen.expires.reset();
    for (auto earlier = queue_.begin(); earlier != request; ++earlier) {
      ++earlier->bypassed;
      if (!earlier->bypassed_since) earlier->bypassed_since = now;
    }
  }
  queue_.erase(request);
  return grant;
}

// ---- workers ----

std::uint64_t Schedule::work_bytes(const Worker& worker) const {
  return use_of(worker).bytes;
}

std::uint32_t Schedule::active() const {
  std::size_t sum = 0;
  for (const auto& [id, worker] : workers_)
    sum += worker.state == ResidentState::leaving ? 0 : worker.requests.size();
  return static_cast<std::uint32_t>(sum);
}

void Schedule::opened(Id worker, std::uint32_t capacity) {
  Worker& open = workers_.at(worker);
  open.state = ResidentState::busy;
  open.capacity = std::max(capacity, 1U);
}

bool Schedule::finish(Id worker, Id request, Time now, KeepAlive keep) {
  Worker& done = workers_.at(worker);
  done.last_used = now;
  done.requests.erase(request);
  if (!done.requests.empty()) return false;
  if (done.leaves) {
    done.state = ResidentState::leaving;
    return true;
  }
  done.state = ResidentState::idle;
  done.expires = keep < KeepAlive(0) ? std::nullopt : std::optional(now + keep);
  return false;
}

bool Schedule::retire(Id worker, Id request) {
  Worker& spoilt = workers_.at(worker);
  spoilt.leaves = true;
  spoilt.requests.erase(request);
  if (!spoilt.requests.empty()) return false;
  spoilt.state = ResidentState::leaving;
  return true;
}

void Schedule::remove(Id worker) {
  workers_.erase(worker);
}

std::vector<Schedule::Id> Schedule::expire(Time now) {
  std::vector<Id> expired;
  for (auto& [id, worker] : workers_) {
    if (worker.state != ResidentState::idle || !worker.expires || *worker.expires > now) continue;
    if (pinned(worker.name) || is_wanted(worker.key)) continue;
    worker.state = ResidentState::leaving;
    expired.push_back(id);
  }
  return expired;
}

std::optional<Schedule::Time> Schedule::next_expiry() const {
  std::optional<Time> first;
  for (const auto& [id, worker] : workers_) {
    if (worker.state != ResidentState::idle || !worker.expires || pinned(worker.name)) continue;
    if (!first || *worker.expires < *first) first = worker.expires;
  }
  return first;
}

std::vector<Schedule::Id> Schedule::unload(const std::function<bool(const Worker&)>& chosen,
                                           std::size_t& count) {
  std::vector<Id> now;
  for (auto& [id, worker] : workers_) {
    if (worker.state == ResidentState::leaving || !chosen(worker)) continue;
    ++count;
    if (worker.state == ResidentState::idle) {
      worker.state = ResidentState::leaving;
      now.push_back(id);
    } else {
      worker.leaves = true;
    }
  }
  return now;
}

std::vector<Schedule::Id> Schedule::unload(const std::string& name, std::size_t& count) {
  return unload([&](const Worker& worker) { return name.empty() || worker.name == name; }, count);
}

void Schedule::pin(const std::string& name, bool pinned) {
  if (pinned)
    pinned_.insert(name);
  else
    pinned_.erase(name);
}

}  // namespace roundhouse::host
