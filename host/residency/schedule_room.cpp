// SPDX-License-Identifier: Apache-2.0
// The rules of pool.h: where a request has room, and who has to make it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "host/residency/schedule.h"
#include "host/text/list.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

// Beyond twice the size on disk: what libraries and activations of an image take that nobody has asked for.
constexpr std::uint64_t kEasily = std::uint64_t{2} << 30;
constexpr const char* kFewerPins = "pin fewer models or allow more loaded ones (--max-loaded)";

}  // namespace

std::optional<Schedule::Room> Schedule::place(const Waiting& request, const Worker*& worker, Time now) const {
  worker = free_worker(request.key);
  if (worker == nullptr) {
    if (std::optional<std::string> why = without_place(request))
      return Room{Kind::refuse, {}, *why, kFewerPins};
  }
  if (surveying_.contains(request.key)) return std::nullopt;
  if (limits_.max_active > 0 && active() >= limits_.max_active) return std::nullopt;
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
  Room room{worker != nullptr ? Kind::start : Kind::load, {}, {}, {}};
  // Who only wants the model has no cost to ask about; the engine knows its limit and will say.
  if (!request.cost && !need.asked) need.exact = false;
  if (request.cost && worker == nullptr && !need.asked && !is_roomy(need)) {
    if (!surveying_.empty()) return std::nullopt;  // one at a time: they time kernels
    room.kind = Kind::survey;
    return room;
  }
  if (std::optional<std::string> why = impossible(request, need, worker)) {
    return Room{Kind::refuse, {}, std::move(*why), {}};
  }
  // A guess keeps nobody out for good: the engine knows its limit and will say.
  if (!need.exact) need.peak = std::min(need.peak, limits_.memory_bytes);
  std::set<Id> gone;
  const std::vector<Id> candidates = may_evict ? victims(request, worker, now) : std::vector<Id>();
  for (const Id victim : candidates) {
    if (has_place(worker, gone) && fits(need, worker, gone)) break;
    if (stays(workers_.at(victim), request.name, gone)) continue;
    gone.insert(victim);
    room.evicted.push_back(victim);
  }
  const bool all_pinned = std::ranges::all_of(workers_, [&](const auto& entry) {
    const Worker& other = entry.second;
    return &other == worker || gone.contains(other.id) ||
           (other.state == ResidentState::idle && pinned(other.name));
  });
  if (!has_place(worker, gone)) return std::nullopt;
  if (fits(need, worker, gone) || (!need.exact && all_pinned)) return room;
  return std::nullopt;
}

// Idle workers that may be evicted for the request, the least recently used first.
std::vector<Schedule::Id> Schedule::victims(const Waiting& request, const Worker* worker, Time now) const {
  const bool starving = is_starving(request, now);
  std::vector<const Worker*> found;
  for (const auto& [id, other] : workers_) {
    if (other.state != ResidentState::idle || &other == worker) continue;
    if (stays(other, request.name, {})) continue;
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

// Whether one more worker may be loaded, or none has to be.
bool Schedule::has_place(const Worker* worker, const std::set<Id>& gone) const {
  return worker != nullptr || workers_.size() - gone.size() < limits_.max_loaded;
}

// Whether a pin keeps the worker from making room for a model of that name: it does not for another worker of
// its own model, nor where one of its model stays besides.
bool Schedule::stays(const Worker& worker, const std::string& name, const std::set<Id>& gone) const {
  if (!pinned(worker.name) || worker.name == name || worker.state == ResidentState::leaving) return false;
  return std::ranges::none_of(workers_, [&](const auto& entry) {
    const Worker& other = entry.second;
    return other.name == worker.name && other.id != worker.id && !gone.contains(other.id) && !other.leaves &&
           other.state != ResidentState::leaving;
  });
}

// Why there can be no worker for the request: pinned models have all places.
std::optional<std::string> Schedule::without_place(const Waiting& request) const {
  std::set<std::string> keep;
  for (const auto& [id, worker] : workers_) {
    const bool remains = worker.state != ResidentState::leaving && !worker.leaves;
    if (remains && pinned(worker.name) && worker.name != request.name) keep.insert(worker.name);
  }
  if (keep.size() < limits_.max_loaded) return std::nullopt;
  return fmt::format("model '{}' has no place: {} may be loaded at once, and pinned are {}", request.name,
                     limits_.max_loaded, joined(keep));
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
  std::set<Id> gone;
  for (const auto& [id, other] : workers_) {
    if (&other == worker || !pinned(other.name)) continue;
    if (!stays(other, request.name, gone)) {
      gone.insert(id);
      continue;
    }
    const Need of_other = needs_.need(other.key, std::nullopt);
    stay.push_back({of_other.held, of_other.files});
  }
  const std::uint64_t pinned_bytes = total_bytes(stay);
  stay.push_back({need.peak, need.files});
  if (total_bytes(stay) <= limits_.memory_bytes) return std::nullopt;
  std::string why = "model '" + request.name + "' needs about " + human_bytes(need.peak) + " for this, " +
                    human_bytes(limits_.memory_bytes) + " are allowed for all models";
  if (pinned_bytes > 0) why += " and pinned ones hold " + human_bytes(pinned_bytes);
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

}  // namespace roundhouse::host
