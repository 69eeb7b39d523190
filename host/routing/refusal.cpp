// SPDX-License-Identifier: Apache-2.0
// The questions that routing asks of one engine, each with its refusal.
#include "host/routing/refusal.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <sstream>

#include "host/text/list.h"

namespace roundhouse::host {
namespace {

using Answer = std::optional<Error>;
using Records = std::vector<EngineRecord>;

std::string named(const EngineRecord& record) {
  return "engine '" + record.id + "'";
}

template <class Strings>
std::string list_of(const Strings& values) {
  return values.empty() ? "none" : joined(values);
}

std::string group(const EngineRecord& record, const std::string& name) {
  const auto found = record.capabilities().find(name);
  return found == record.capabilities().end() ? "none" : list_of(found->second);
}

// All values of a group over the usable engines, sorted.
std::set<std::string> everywhere(const Records& records, const std::string& name) {
  std::set<std::string> values;
  for (const auto& record : records) {
    const auto found = record.capabilities().find(name);
    if (is_usable(record) && found != record.capabilities().end()) {
      values.insert(found->second.begin(), found->second.end());
    }
  }
  return values;
}

std::set<std::string> engines_with(const Records& records, const std::string& name,
                                   const std::string& value) {
  std::set<std::string> ids;
  for (const auto& record : records) {
    if (is_usable(record) && has_capability(record.capabilities(), name, value)) ids.insert(record.id);
  }
  return ids;
}

// "; engines that do: a, b", or kNobody
std::string elsewhere(const Records& records, const std::string& name, const std::string& value) {
  const std::set<std::string> ids = engines_with(records, name, value);
  return ids.empty() ? kNobody : "; engines that do: " + list_of(ids);
}

Answer ask_usable(const RouteRequest&, const EngineRecord& record, const Records&) {
  if (is_usable(record)) return std::nullopt;
  if (record.error) return record.error;
  return Error(RH_INTERNAL, named(record) + " is unusable for no recorded reason");
}

// Types are asked for where other requests ask for a task: what an engine cannot write it does not do.
Answer ask_conversion(const RouteRequest& request, const EngineRecord& record, const Records& records) {
  if (has_capability(record.capabilities(), "convert", *request.convert)) return std::nullopt;
  return Error(RH_CAPABILITY_UNSUPPORTED, named(record) + " does not convert to " + *request.convert +
                                              ", expected one of: " + group(record, "convert") +
                                              elsewhere(records, "convert", *request.convert));
}

Answer ask_task(const RouteRequest& request, const EngineRecord& record, const Records& records) {
  if (request.convert) return ask_conversion(request, record, records);
  if (has_capability(record.capabilities(), "task", request.task)) return std::nullopt;
  return Error(RH_CAPABILITY_UNSUPPORTED,
               named(record) + " does not do " + request.task + elsewhere(records, "task", request.task));
}

Answer ask_architecture(const RouteRequest& request, const EngineRecord& record, const Records& records) {
  if (request.convert) return std::nullopt;
  if (!request.architecture) {
    if (has_capability(record.capabilities(), "feature", "modelless")) return std::nullopt;
    return Error(RH_INVALID_ARGUMENT, "model: none was given, " + named(record) + " needs one");
  }
  if (runs_architecture(record, request.task, *request.architecture)) return std::nullopt;
  const auto tasks = tasks_of(*request.architecture, {record});
  if (!tasks.empty()) {
    return Error(RH_CAPABILITY_UNSUPPORTED, named(record) + " does " + list_of(tasks) +
                                                " with models of architecture '" + *request.architecture +
                                                "', not " + request.task);
  }
  return Error(RH_CAPABILITY_UNSUPPORTED, named(record) + " does not run models of architecture '" +
                                              *request.architecture +
                                              "', expected one of: " + group(record, "architecture") +
                                              elsewhere(records, "architecture", *request.architecture));
}

Answer ask_device(const RouteRequest& request, const EngineRecord& record, const Records& records) {
  if (request.device == "auto" || has_capability(record.capabilities(), "device", request.device)) {
    return std::nullopt;
  }
  const auto anywhere = everywhere(records, "device");
  if (anywhere.contains(request.device)) {
    return Error(RH_UNSUPPORTED_DEVICE, "device '" + request.device + "' is not available with " +
                                            named(record) + ", expected one of: auto, " +
                                            group(record, "device") +
                                            elsewhere(records, "device", request.device));
  }
  return Error(RH_UNSUPPORTED_DEVICE, "device '" + request.device +
                                          "' is not available, expected one of: auto" +
                                          (anywhere.empty() ? "" : ", " + list_of(anywhere)));
}

Answer ask_weight_format(const RouteRequest& request, const EngineRecord& record, const Records&) {
  if (!request.weight_format ||
      has_capability(record.capabilities(), "weight-format", *request.weight_format)) {
    return std::nullopt;
  }
  return Error(RH_MODEL_NOT_CONVERTED, "the model is stored as " + *request.weight_format + ", " +
                                           named(record) + " reads " + group(record, "weight-format"));
}

Answer ask_dtypes(const RouteRequest& request, const EngineRecord& record, const Records&) {
  for (const auto& dtype : request.dtypes) {
    if (has_capability(record.capabilities(), "dtype", dtype)) continue;
    return Error(RH_MODEL_NOT_CONVERTED,
                 "the model holds weights of dtype " + dtype + ", " + named(record) + " reads " +
                     group(record, "dtype"),
                 "get the model with weights of a type that the engine reads");
  }
  return std::nullopt;
}

Answer ask_features(const RouteRequest& request, const EngineRecord& record, const Records& records) {
  for (const auto& feature : request.features) {
    if (has_capability(record.capabilities(), "feature", feature)) continue;
    if (feature == "lora") {
      return Error(RH_LORA_UNSUPPORTED_ENGINE,
                   named(record) + " takes no LoRA" + elsewhere(records, "feature", feature));
    }
    return Error(RH_CAPABILITY_UNSUPPORTED,
                 named(record) + " does not do " + feature + elsewhere(records, "feature", feature));
  }
  return std::nullopt;
}

// A sampler, schedule or form of weights: unknown everywhere is a mistake in the request, unknown here one of
// the choice.
Answer ask_method(const std::string& what, const std::optional<std::string>& value,
                  const EngineRecord& record, const Records& records) {
  if (!value || has_capability(record.capabilities(), what, *value)) return std::nullopt;
  if (engines_with(records, what, *value).empty()) {
    return Error(RH_INVALID_ARGUMENT, what + ": '" + *value + "' is not known, expected one of: " +
                                          list_of(everywhere(records, what)));
  }
  return Error(RH_CAPABILITY_UNSUPPORTED, named(record) + " has no " + what + " '" + *value +
                                              "', expected one of: " + group(record, what) +
                                              elsewhere(records, what, *value));
}

// Whether the sampler, by default the engine's first, can follow the schedule. An engine that lists no
// schedules for the sampler leaves the question to itself.
Answer ask_pair(const RouteRequest& request, const EngineRecord& record) {
  const auto& capabilities = record.capabilities();
  const auto samplers = capabilities.find("sampler");
  if (!request.schedule || samplers == capabilities.end() || samplers->second.empty()) return std::nullopt;
  const std::string sampler = request.sampler.value_or(samplers->second.front());
  const auto schedules = "schedule." + sampler;
  if (!capabilities.contains(schedules) || has_capability(capabilities, schedules, *request.schedule)) {
    return std::nullopt;
  }
  return Error(RH_CAPABILITY_UNSUPPORTED, "schedule: sampler '" + sampler + "' of " + named(record) +
                                              " cannot follow '" + *request.schedule +
                                              "', expected one of: " + group(record, schedules));
}

Answer ask_methods(const RouteRequest& request, const EngineRecord& record, const Records& records) {
  if (auto answer = ask_method("sampler", request.sampler, record, records)) return answer;
  if (auto answer = ask_method("schedule", request.schedule, record, records)) return answer;
  if (auto answer = ask_method("weights", request.weights, record, records)) return answer;
  return ask_pair(request, record);
}

std::string number(double value) {
  std::ostringstream text;
  text.precision(15);
  text << value;
  return text.str();
}

Answer ask_limits(const RouteRequest& request, const EngineRecord& record, const Records&) {
  for (const auto& [name, value] : request.quantities) {
    const auto found = record.limits().find(name);
    if (found == record.limits().end()) continue;
    const Limit& limit = found->second;
    const auto code = name == "width" || name == "height" ? RH_INVALID_DIMENSION : RH_INVALID_ARGUMENT;
    const std::string begin = name + ": " + number(value) + " is ";
    // Written so that a value that is no number fails.
    if (!(value >= limit.minimum && value <= limit.maximum)) {
      return Error(code, begin + "out of range for " + named(record) + ", expected " + number(limit.minimum) +
                             " to " + number(limit.maximum));
    }
    if (limit.multiple_of != 0 && std::fmod(value, limit.multiple_of) != 0) {
      return Error(code, begin + "not a multiple of " + number(limit.multiple_of) + ", as " + named(record) +
                             " needs");
    }
  }
  return std::nullopt;
}

struct Question {
  Hurdle hurdle;
  Answer (*ask)(const RouteRequest&, const EngineRecord&, const Records&);
};

constexpr std::array<Question, 9> kQuestions = {{{Hurdle::usable, ask_usable},
                                                 {Hurdle::task, ask_task},
                                                 {Hurdle::architecture, ask_architecture},
                                                 {Hurdle::device, ask_device},
                                                 {Hurdle::weight_format, ask_weight_format},
                                                 {Hurdle::dtype, ask_dtypes},
                                                 {Hurdle::feature, ask_features},
                                                 {Hurdle::method, ask_methods},
                                                 {Hurdle::limit, ask_limits}}};

}  // namespace

bool is_usable(const EngineRecord& record) {
  return record.state == EngineState::listed || record.state == EngineState::available;
}

std::optional<Refusal> refusal_of(const RouteRequest& request, const EngineRecord& record,
                                  const std::vector<EngineRecord>& records) {
  for (const auto& question : kQuestions) {
    if (auto error = question.ask(request, record, records)) return Refusal{question.hurdle, *error};
  }
  return std::nullopt;
}

}  // namespace roundhouse::host
