// SPDX-License-Identifier: Apache-2.0
// A schedule whose workers begin and end when a test says so.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/residency/schedule.h"

namespace roundhouse::host {

inline constexpr std::uint64_t kMega = 1'000'000;
inline const Cost kCost{"task", 65'536};
inline Cost times(std::uint64_t factor) {
  return {kCost.kind, factor * kCost.units};
}

inline PoolLimits limits_of(std::uint64_t memory = 100 * kMega, std::uint32_t max_loaded = 10) {
  PoolLimits limits;
  limits.memory_bytes = memory;
  limits.max_loaded = max_loaded;
  return limits;
}

class House {
 public:
  explicit House(const PoolLimits& limits) : schedule(limits) {}

  // Makes a model known by what it holds and takes at work.
  void know(const std::string& model, std::uint64_t held, std::uint64_t peak, WeightFiles files = {}) {
    schedule.needs().expect(model, std::move(files));
    schedule.needs().note(model, kCost, held, peak);
  }
  Schedule::Id ask(const std::string& model, const std::optional<Cost>& cost = kCost) {
    schedule.needs().expect(model, {});
    const Schedule::Id id = schedule.enqueue(model, model, cost);
    asked[id] = model;
    return id;
  }
  // Grants all that can begin; their story: "load a", "start a", "evict b", ...
  std::vector<std::string> go() {
    std::vector<std::string> story;
    while (const auto grant = schedule.next(now)) {
      for (const Schedule::Id evicted : grant->evicted) {
        story.push_back("evict " + schedule.workers().at(evicted).key);
        schedule.remove(evicted);
      }
      const std::string& model = asked.at(grant->request);
      if (grant->kind == Schedule::Kind::refuse) {
        story.push_back("refuse " + model);
        refusals.push_back(grant->message);
        continue;
      }
      story.push_back((grant->kind == Schedule::Kind::load     ? "load "
                       : grant->kind == Schedule::Kind::survey ? "survey "
                                                               : "start ") +
                      model);
      if (grant->kind == Schedule::Kind::survey) continue;
      if (grant->kind == Schedule::Kind::load) schedule.opened(grant->worker, capacity);
      at_work[grant->request] = grant->worker;
    }
    return story;
  }
  void done(Schedule::Id request, KeepAlive keep = std::chrono::seconds(300)) {
    const Schedule::Id worker = at_work.at(request);
    at_work.erase(request);
    now += std::chrono::milliseconds(1);
    if (schedule.finish(worker, request, now, keep)) schedule.remove(worker);
  }
  // One request from the queue to its end.
  void serve(const std::string& model) {
    const Schedule::Id id = ask(model);
    go();
    done(id);
  }

  Schedule schedule;
  std::uint32_t capacity = 1;  // of the workers that are loaded
  Schedule::Time now{};
  std::map<Schedule::Id, std::string> asked;
  std::map<Schedule::Id, Schedule::Id> at_work;
  std::vector<std::string> refusals;
};

}  // namespace roundhouse::host
