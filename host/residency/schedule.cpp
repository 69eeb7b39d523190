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

Schedule::Id Schedule::enqueue(const std::string& key, const std::string& name, std::uint64_t pixels) {
  requeue(++last_id_, key, name, pixels);
  return last_id_;
}

void Schedule::requeue(Id request, const std::string& key, const std::string& name, std::uint64_t pixels) {
  const auto place =
      std::ranges::find_if(queue_, [&](const Waiting& waiting) { return waiting.id > request; });
  queue_.insert(place, {request, key, name, pixels, 0, std::nullopt});
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
      workers_[grant.worker] = {grant.worker, request->key, request->name, ResidentState::loading, 0,
                                now,          std::nullopt, false};
    } else {
      workers_.at(grant.worker).state = ResidentState::busy;
    }
    Worker& chosen = workers_.at(grant.worker);
    chosen.pixels = request->pixels;
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
  worker = idle_worker(request.key);
  if (worker != nullptr) return make_room(request, worker, true, now);
  const auto siblings = std::ranges::count_if(workers_, [&](const auto& entry) {
    return entry.second.key == request.key && entry.second.state != ResidentState::leaving;
  });
  if (siblings >= limits_.parallel) return std::nullopt;
  return make_room(request, nullptr, siblings == 0, now);
}

std::optional<Schedule::Room> Schedule::make_room(const Waiting& request, const Worker* worker,
                                                  bool may_evict, Time now) const {
  Need need = needs_.need(request.key, request.pixels);
  Room room{worker != nullptr ? Kind::start : Kind::load, {}, {}};
  if (worker == nullptr && !need.asked && !is_roomy(need)) {
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

// Whether the need fits beside all but those that are `gone`; a need on a worker takes that one's place.
bool Schedule::fits(const Need& need, const Worker* worker, const std::set<Id>& gone) const {
  if (worker == nullptr && workers_.size() - gone.size() >= places()) return false;
  std::set<Id> without = gone;
  if (worker != nullptr) without.insert(worker->id);
  std::vector<Use> all = uses(without);
  all.push_back({need.peak, need.files});
  return together(all) <= limits_.memory_bytes;
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
    const Need of_other = needs_.need(other.key, 0);
    stay.push_back({of_other.held, of_other.files});
  }
  const std::uint64_t pinned_bytes = together(stay);
  stay.push_back({need.peak, need.files});
  if (together(stay) <= limits_.memory_bytes) return std::nullopt;
  std::string why = "model '" + request.name + "' needs about " + needed(need.peak) + " for this, " +
                    needed(limits_.memory_bytes) + " are allowed for all models";
  if (pinned_bytes > 0) why += " and pinned ones hold " + needed(pinned_bytes);
  return why;
}

const Schedule::Worker* Schedule::idle_worker(const std::string& key) const {
  const Worker* found = nullptr;
  for (const auto& [id, worker] : workers_) {
    if (worker.state != ResidentState::idle || worker.key != key) continue;
    if (found == nullptr || worker.last_used > found->last_used) found = &worker;
  }
  return found;
}

bool Schedule::is_wanted(const std::string& key, Id except) const {
  return std::ranges::any_of(
      queue_, [&](const Waiting& waiting) { return waiting.key == key && waiting.id != except; });
}

std::vector<Use> Schedule::uses(const std::set<Id>& gone) const {
  std::vector<Use> all;
  for (const auto& [id, worker] : workers_) {
    if (gone.contains(id)) continue;
    const bool works = worker.state == ResidentState::busy || worker.state == ResidentState::loading;
    const Need need = needs_.need(worker.key, worker.pixels);
    all.push_back({works ? need.peak : need.held, need.files});
  }
  return all;
}

// ---- workers ----

std::uint64_t Schedule::work_bytes(const Worker& worker) const {
  return needs_.need(worker.key, worker.pixels).peak;
}

std::uint32_t Schedule::active() const {
  return static_cast<std::uint32_t>(std::ranges::count_if(workers_, [](const auto& entry) {
    return entry.second.state == ResidentState::busy || entry.second.state == ResidentState::loading;
  }));
}

bool Schedule::finish(Id worker, Time now, KeepAlive keep) {
  Worker& done = workers_.at(worker);
  done.last_used = now;
  done.pixels = 0;
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
