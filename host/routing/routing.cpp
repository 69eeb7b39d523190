// SPDX-License-Identifier: Apache-2.0
// Chooses among the engines that can do a request, and says why the others were not chosen.
#include "host/routing/routing.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "host/routing/placement.h"
#include "host/routing/refusal.h"

namespace roundhouse::host {
namespace {

using Records = std::vector<EngineRecord>;

struct Contender {
  const EngineRecord* record;
  std::optional<Refusal> refusal;
};

std::string ids(const Records& records) {
  std::string text;
  for (const auto& record : records) {
    if (record.state != EngineState::duplicate) text += (text.empty() ? "" : ", ") + record.id;
  }
  return text;
}

bool is_teaching(const EngineRecord& record) {
  return record.maturity() == "teaching";
}

// The higher score, then the lower id.
bool ahead(const EngineRecord& a, const EngineRecord& b) {
  return a.score() != b.score() ? a.score() > b.score() : a.id < b.id;
}

Verdict verdict_of(const Contender& contender) {
  Verdict verdict;
  verdict.engine = contender.record->id;
  if (contender.refusal) {
    verdict.refusal = contender.refusal->error;
    verdict.reason = contender.refusal->error.what();
  }
  return verdict;
}

Error not_found(const std::string& id, const Records& records) {
  if (records.empty()) return Error(RH_ENGINE_NOT_FOUND, "engine '" + id + "' was not found: there are none");
  return Error(RH_ENGINE_NOT_FOUND, "engine '" + id + "' was not found among: " + ids(records));
}

// The record that stands for an id: the usable one before one that is not.
const EngineRecord* record_of(const std::string& id, const Records& records) {
  const EngineRecord* found = nullptr;
  for (const auto& record : records) {
    if (record.id != id) continue;
    if (is_usable(record)) return &record;
    if (found == nullptr) found = &record;
  }
  return found;
}

Error with_engine(const std::string& id, const Error& error) {
  const std::string what = error.what();
  const std::string name = "engine '" + id + "'";
  if (what.find(name) != std::string::npos) return error;
  return Error(error.code(), name + " cannot be used: " + what, std::string(error.hint()));
}

Decision route_explicit(const RouteRequest& request, const Records& records) {
  const std::string& id = *request.engine;
  const EngineRecord* named = record_of(id, records);
  Decision decision;
  for (const auto& record : records) {
    Verdict verdict;
    verdict.engine = record.id;
    verdict.reason = "'" + id + "' was asked for";
    if (&record == named) {
      const Contender contender{&record, refusal_of(request, record, records)};
      verdict = verdict_of(contender);
      if (contender.refusal && contender.refusal->hurdle == Hurdle::usable) {
        decision.error = with_engine(id, contender.refusal->error);
      } else if (contender.refusal) {
        decision.error = contender.refusal->error;
      } else {
        verdict.chosen = true;
        verdict.reason = "asked for by name";
        decision.engine = id;
      }
    }
    decision.verdicts.push_back(std::move(verdict));
  }
  if (named == nullptr) decision.error = not_found(id, records);
  return decision;
}

// Among refused engines: the one that failed latest is closest to what was meant.
bool closer(const Contender* a, const Contender* b) {
  if (a->refusal->hurdle != b->refusal->hurdle) return a->refusal->hurdle > b->refusal->hurdle;
  return ahead(*a->record, *b->record);
}

// Nobody was chosen: the refusal of the engine that got furthest, and who was tried.
Error nobody(const std::vector<Contender>& contenders, const Records& records) {
  if (records.empty()) {
    return Error(RH_ENGINE_NOT_FOUND, "no engine was found",
                 "'roundhouse doctor' says where engines are looked for");
  }
  const Contender* best = nullptr;
  bool teaching = false;  // one that can do it, if it were named
  for (const auto& contender : contenders) {
    if (!contender.refusal) {
      teaching = true;
    } else if (!is_teaching(*contender.record) && (best == nullptr || closer(&contender, best))) {
      best = &contender;
    }
  }
  if (best == nullptr || (teaching && best->refusal->hurdle <= Hurdle::task)) {
    return Error(RH_ENGINE_NOT_FOUND, "no engine is chosen by itself among: " + ids(records),
                 "a teaching engine is used only when it is named: --engine");
  }
  const Error error = best->refusal->hurdle == Hurdle::usable
                          ? with_engine(best->record->id, best->refusal->error)
                          : best->refusal->error;
  if (records.size() == 1) return error;
  const std::string what = error.what();
  const char* nobody = what.ends_with(kNobody) ? " (tried: " : " (no engine can do it; tried: ";
  return Error(error.code(), what + nobody + ids(records) + ")", std::string(error.hint()));
}

// In FLOP/s, where it was measured for weights of that type and the request would run where that was.
std::optional<double> rate_of(const EngineRecord& record, const RouteRequest& request) {
  if (!record.rates || !request.weight_type || device_for(request.device, record) != "cpu")
    return std::nullopt;
  const auto found = record.rates->by_weights.find(*request.weight_type);
  return found == record.rates->by_weights.end() ? std::nullopt : std::optional(found->second);
}

// The best of those that can do it, and what decided.
struct Choice {
  const EngineRecord* winner = nullptr;
  std::optional<double> rate;     // of the winner
  std::optional<double> fastest;  // of all that were measured

  // Whether the rate is one of those that are as good as the fastest.
  bool is_near(double other) const { return other >= *fastest * (1 - kRateMargin); }
};

Choice choose(const RouteRequest& request, const std::vector<const EngineRecord*>& able) {
  Choice choice;
  const EngineRecord* unmeasured = nullptr;
  std::int32_t score = std::numeric_limits<std::int32_t>::min();  // the highest of the measured
  for (const EngineRecord* record : able) {
    if (const auto rate = rate_of(*record, request)) {
      choice.fastest = std::max(choice.fastest.value_or(0), *rate);
      score = std::max(score, record->score());
    } else if (unmeasured == nullptr || ahead(*record, *unmeasured)) {
      unmeasured = record;
    }
  }
  if (!choice.fastest || (unmeasured != nullptr && unmeasured->score() > score)) {
    choice.winner = unmeasured;
    return choice;
  }
  for (const EngineRecord* record : able) {
    const auto rate = rate_of(*record, request);
    if (!rate || !choice.is_near(*rate) || (choice.winner != nullptr && !ahead(*record, *choice.winner)))
      continue;
    choice.winner = record;
    choice.rate = rate;
  }
  return choice;
}

std::string rate_text(double rate) {
  return fmt::format("{:.0f} GFLOP/s", rate / 1e9);
}

std::string won(const RouteRequest& request, const Choice& choice) {
  const EngineRecord& winner = *choice.winner;
  if (!choice.rate) return fmt::format("the highest score, {}, of those that can do it", winner.score());
  const std::string measured =
      fmt::format("{} with {} weights", rate_text(*choice.rate), *request.weight_type);
  if (*choice.rate == *choice.fastest) return fmt::format("the fastest here: {}", measured);
  return fmt::format("{}, as fast as the fastest ({}) within {:.0f} %, and of the higher score, {}", measured,
                     rate_text(*choice.fastest), kRateMargin * 100, winner.score());
}

std::string lost_by_score(const EngineRecord& loser, const EngineRecord& winner) {
  if (loser.score() == winner.score())
    return fmt::format("score {} is equal to that of {}, whose id is lower", loser.score(), winner.id);
  return fmt::format("score {} is below {} of {}", loser.score(), winner.score(), winner.id);
}

std::string lost(const RouteRequest& request, const EngineRecord& loser, const Choice& choice) {
  const EngineRecord& winner = *choice.winner;
  const auto rate = rate_of(loser, request);
  if (!rate) {
    return choice.rate ? fmt::format("score {} is not above those of the measured engines", loser.score())
                       : lost_by_score(loser, winner);
  }
  const std::string measured = fmt::format("{} with {} weights", rate_text(*rate), *request.weight_type);
  if (!choice.rate) return fmt::format("{}; {}", measured, lost_by_score(loser, winner));
  if (choice.is_near(*rate)) {
    return fmt::format("{} is no more than {:.0f} % from the {} of {}; {}", measured, kRateMargin * 100,
                       rate_text(*choice.rate), winner.id, lost_by_score(loser, winner));
  }
  return fmt::format("{} is below {} of {}", measured, rate_text(*choice.rate), winner.id);
}

Decision route_automatic(const RouteRequest& request, const Records& records) {
  std::vector<Contender> contenders;
  std::vector<const EngineRecord*> able;
  for (const auto& record : records) {
    contenders.push_back({&record, refusal_of(request, record, records)});
    if (!contenders.back().refusal && !is_teaching(record)) able.push_back(&record);
  }
  const Choice choice = choose(request, able);
  Decision decision;
  for (const auto& contender : contenders) {
    Verdict verdict = verdict_of(contender);
    if (contender.record == choice.winner) {
      verdict.chosen = true;
      verdict.reason = won(request, choice);
      decision.engine = choice.winner->id;
    } else if (!contender.refusal && is_teaching(*contender.record)) {
      verdict.reason = "a teaching engine is used only when it is named";
    } else if (!contender.refusal) {
      verdict.reason = lost(request, *contender.record, choice);
    }
    decision.verdicts.push_back(std::move(verdict));
  }
  if (choice.winner == nullptr) decision.error = nobody(contenders, records);
  return decision;
}

}  // namespace

Decision route(const RouteRequest& request, const std::vector<EngineRecord>& records) {
  if (request.engine && *request.engine != "auto") return route_explicit(request, records);
  return route_automatic(request, records);
}

bool runs_architecture(const EngineRecord& record, const std::string& task, const std::string& architecture) {
  const std::string own = "architecture." + task;
  const bool states = record.capabilities().contains(own);
  return has_capability(record.capabilities(), states ? own : "architecture", architecture);
}

std::set<std::string> tasks_of(const std::string& architecture, const Records& records) {
  std::set<std::string> tasks;
  for (const EngineRecord& record : records) {
    const auto group = record.capabilities().find("task");
    if (!is_usable(record) || is_teaching(record) || group == record.capabilities().end()) continue;
    for (const std::string& task : group->second) {
      if (runs_architecture(record, task, architecture)) tasks.insert(task);
    }
  }
  return tasks;
}

std::vector<std::string> rivals(const RouteRequest& request, const std::vector<EngineRecord>& records) {
  if ((request.engine && *request.engine != "auto") || !request.weight_type) return {};
  std::vector<std::string> ids;
  for (const auto& record : records) {
    if (!is_teaching(record) && !refusal_of(request, record, records)) ids.push_back(record.id);
  }
  return ids.size() > 1 ? ids : std::vector<std::string>{};
}

}  // namespace roundhouse::host
