// SPDX-License-Identifier: Apache-2.0
// The rules of pool.h.
#include "host/residency/schedule.h"

#include <algorithm>
#include <cstdio>
#include <utility>

namespace roundhouse::host {
namespace {

// Beyond twice the size on disk: what libraries and activations of a picture take that nobody has asked for.
constexpr std::uint64_t kEasily = std::uint64_t{2} << 30;

std::string gigabytes(std::uint64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f GB", static_cast<double>(bytes) / 1e9);
  return text;
}

std::string needed(std::uint64_t bytes) {
  if (bytes >= 100'000'000) return gigabytes(bytes);
  return std::to_string((bytes + 999'999) / 1'000'000) + " MB";
}

}  // namespace

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
  Grant grant{room.kind, request->id, worker != nullptr ? worker->id : 0, room.evicted, room.message};
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

// ---- room ----

std::optional<Schedule::Room> Schedule::place(const Waiting& request, const Worker*& worker, Time now) const {
  if (surveying_.contains(request.key)) return std::nullopt;
  if (limits_.max_active > 0 && active() >= limits_.max_active) return std::nullopt;
  worker = free_worker(request.key);
  if (worker != nullptr) return make_room(request, worker, true, now);
  const auto siblings = std::ranges::count_if(workers_, [&](const auto& entry) {
    return entry.second.key == request.key && entry.second.state != ResidentState::leaving;
  });
  if (siblings >= limits_.parallel) return std::nullopt;
  return make_room(request, nullptr, siblings == 0, now);
}

std::optional<Schedule::Room> Schedule::make_room(const Waiting& request, const Worker* worker,
                                                  bool may_evict, Time now) const {
  Need need = needs_.need(request.key, request.cost);
  Room room{worker != nullptr ? Kind::start : Kind::load, {}, {}};
  // Who only wants the model has no cost to ask about; the engine knows its limit and will say.
  if (!request.cost && !need.asked) need.exact = false;
  if (request.cost && worker == nullptr && !need.asked && !is_roomy(need)) {
    if (!surveying_.empty()) return std::nullopt;  // one at a time: they time kernels
    room.kind = Kind::survey;
    return room;
  }
  if (std::optional<std::string> why = impossible(request, need, worker)) {
    return Room{Kind::refuse, {}, std::move(*why)};
  }
  // A guess keeps nobody out for good: the engine knows its limit and will say.
  if (!need.exact) need.peak = std::min(need.peak, limits_.memory_bytes);
  std::set<Id> gone;
  const std::vector<Id> candidates = may_evict ? victims(request, worker, now) : std::vector<Id>();
  for (const Id victim : candidates) {
    if (fits(need, worker, gone)) break;
    gone.insert(victim);
    room.evicted.push_back(victim);
  }
  const bool all_pinned = std::ranges::all_of(workers_, [&](const auto& entry) {
    const Worker& other = entry.second;
    return &other == worker || gone.contains(other.id) ||
           (other.state == ResidentState::idle && pinned(other.name));
  });
  if (fits(need, worker, gone) || (!need.exact && all_pinned)) return room;
  return std::nullopt;
}

// Idle workers that may be evicted for the request, the least recently used first.
std::vector<Schedule::Id> Schedule::victims(const Waiting& request, const Worker* worker, Time now) const {
  const bool starving = is_starving(request, now);
  std::vector<const Worker*> found;
  for (const auto& [id, other] : workers_) {
    if (other.state != ResidentState::idle || &other == worker || pinned(other.name)) continue;
    if (!starving && is_wanted(other.key, request.id)) continue;
    found.push_back(&other);
  }
  std::ranges::stable_sort(found, {}, [](const Worker* other) { return other->last_used; });
  std::vector<Id> ids;
  ids.reserve(found.size());
  for (const Worker* other : found)
    ids.push_back(other->id);
  return ids;
}

// Whether the need fits beside all but those that are `gone`; on a loaded worker it adds to what that one's
// other requests take.
bool Schedule::fits(const Need& need, const Worker* worker, const std::set<Id>& gone) const {
  if (worker == nullptr && workers_.size() - gone.size() >= places()) return false;
  std::set<Id> without = gone;
  std::uint64_t beside = 0;
  if (worker != nullptr) {
    without.insert(worker->id);
    beside = use_of(*worker).bytes - needs_.need(worker->key, std::nullopt).held;
  }
  std::vector<Use> all = uses(without);
  all.push_back({need.peak + beside, need.files});
  return total_bytes(all) <= limits_.memory_bytes && devices_fit(need, without);
}

// A device without a budget has room for everything: nobody knows better.
bool Schedule::devices_fit(const Need& need, const std::set<Id>& gone) const {
  return std::ranges::all_of(need.devices, [&](const auto& asked) {
    const auto budget = limits_.device_bytes.find(asked.first);
    if (budget == limits_.device_bytes.end()) return true;
    std::uint64_t used = asked.second;
    for (const auto& [id, worker] : workers_) {
      if (gone.contains(id)) continue;
      const Need other = needs_.need(worker.key, std::nullopt);
      const auto taken = other.devices.find(asked.first);
      if (taken != other.devices.end()) used += taken->second;
    }
    return used <= budget->second;
  });
}

// Workers that there may be. However many are pinned, one more can always come.
std::size_t Schedule::places() const {
  const auto pinned_ones =
      std::ranges::count_if(workers_, [&](const auto& entry) { return pinned(entry.second.name); });
  return std::max<std::size_t>(limits_.max_loaded, static_cast<std::size_t>(pinned_ones) + 1);
}

// Whether there is so much room that nobody has to be asked.
bool Schedule::is_roomy(const Need& need) const {
  return used_bytes() + 2 * need.held + kEasily <= limits_.memory_bytes;
}

// Why the need would not fit if all that may go were gone.
std::optional<std::string> Schedule::impossible(const Waiting& request, const Need& need,
                                                const Worker* worker) const {
  if (!need.exact) return std::nullopt;
  std::vector<Use> stay;
  for (const auto& [id, other] : workers_) {
    if (&other == worker || !pinned(other.name)) continue;
    const Need of_other = needs_.need(other.key, std::nullopt);
    stay.push_back({of_other.held, of_other.files});
  }
  const std::uint64_t pinned_bytes = total_bytes(stay);
  stay.push_back({need.peak, need.files});
  if (total_bytes(stay) <= limits_.memory_bytes) return std::nullopt;
  std::string why = "model '" + request.name + "' needs about " + needed(need.peak) + " for this, " +
                    needed(limits_.memory_bytes) + " are allowed for all models";
  if (pinned_bytes > 0) why += " and pinned ones hold " + needed(pinned_bytes);
  return why;
}

// A loaded worker that can take another request: the one with the fewest, then the most recently used.
const Schedule::Worker* Schedule::free_worker(const std::string& key) const {
  const Worker* found = nullptr;
  for (const auto& [id, worker] : workers_) {
    const bool loaded = worker.state == ResidentState::idle || worker.state == ResidentState::busy;
    if (!loaded || worker.key != key || worker.leaves || worker.requests.size() >= worker.capacity) continue;
    const bool better =
        found == nullptr || worker.requests.size() < found->requests.size() ||
        (worker.requests.size() == found->requests.size() && worker.last_used > found->last_used);
    if (better) found = &worker;
  }
  return found;
}

bool Schedule::is_wanted(const std::string& key, Id except) const {
  return std::ranges::any_of(
      queue_, [&](const Waiting& waiting) { return waiting.key == key && waiting.id != except; });
}

// What the worker counts with now: the model, and what each request takes beyond it.
Use Schedule::use_of(const Worker& worker) const {
  const Need held = needs_.need(worker.key, std::nullopt);
  Use use{held.held, held.files};
  for (const auto& [request, cost] : worker.requests) {
    const Need need = needs_.need(worker.key, cost);
    use.bytes += need.peak - need.held;
  }
  return use;
}

std::vector<Use> Schedule::uses(const std::set<Id>& gone) const {
  std::vector<Use> all;
  for (const auto& [id, worker] : workers_) {
    if (!gone.contains(id)) all.push_back(use_of(worker));
  }
  return all;
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

std::vector<Schedule::Id> Schedule::unload(const std::string& name, std::size_t& count) {
  std::vector<Id> now;
  for (auto& [id, worker] : workers_) {
    if ((!name.empty() && worker.name != name) || worker.state == ResidentState::leaving) continue;
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

void Schedule::pin(const std::string& name, bool pinned) {
  if (pinned)
    pinned_.insert(name);
  else
    pinned_.erase(name);
}

}  // namespace roundhouse::host
