// SPDX-License-Identifier: Apache-2.0
// Chooses among the engines that can do a request, and says why the others were not chosen.
#include "host/routing/routing.h"

#include <fmt/format.h>

#include <algorithm>

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
  return (record.report     ? record.report->maturity
          : record.manifest ? record.manifest->maturity
                            : "") == "teaching";
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

std::string lost(const EngineRecord& loser, const EngineRecord& winner) {
  const std::string score = fmt::format("score {}", loser.score());
  if (loser.score() == winner.score())
    return score + " is equal to that of " + winner.id + ", whose id is lower";
  return fmt::format("{} is below {} of {}", score, winner.score(), winner.id);
}

Decision route_automatic(const RouteRequest& request, const Records& records) {
  std::vector<Contender> contenders;
  const EngineRecord* winner = nullptr;
  for (const auto& record : records) {
    contenders.push_back({&record, refusal_of(request, record, records)});
    if (contenders.back().refusal || is_teaching(record)) continue;
    if (winner == nullptr || ahead(record, *winner)) winner = &record;
  }
  Decision decision;
  for (const auto& contender : contenders) {
    Verdict verdict = verdict_of(contender);
    if (contender.record == winner) {
      verdict.chosen = true;
      verdict.reason = fmt::format("the highest score, {}, of those that can do it", winner->score());
      decision.engine = winner->id;
    } else if (!contender.refusal && is_teaching(*contender.record)) {
      verdict.reason = "a teaching engine is used only when it is named";
    } else if (!contender.refusal) {
      verdict.reason = lost(*contender.record, *winner);
    }
    decision.verdicts.push_back(std::move(verdict));
  }
  if (winner == nullptr) decision.error = nobody(contenders, records);
  return decision;
}

}  // namespace

Decision route(const RouteRequest& request, const std::vector<EngineRecord>& records) {
  if (request.engine && *request.engine != "auto") return route_explicit(request, records);
  return route_automatic(request, records);
}

}  // namespace roundhouse::host
