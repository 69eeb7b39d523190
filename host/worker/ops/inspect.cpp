// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/inspect.h"

#include "host/loading/text.h"
#include "host/worker/engine_call.h"
#include "host/worker/message_json.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/task_json.h"
#include "roundhouse/ext/inspect.h"
#include "roundhouse/status.hpp"

namespace roundhouse::host {

using Json = nlohmann::json;

static void to_json(Json& json, const ModelProblem& problem) {
  json = Json::array({problem.code, problem.file, problem.message});
}
static void from_json(const Json& json, ModelProblem& problem) {
  problem = {json.at(0).get<rh_status>(), json.at(1).get<std::string>(), json.at(2).get<std::string>()};
}

// ---- host ----

std::vector<ModelProblem> inspect(EngineClient& client, const InspectTask& task) {
  std::vector<ModelProblem> problems;
  client.call(
      {.operation = "inspect",
       .request = {encode(task)},
       .silence = &Timeouts::load,
       .answer = [&](Message& answer) { problems = decode<std::vector<ModelProblem>>(answer.json); }});
  return problems;
}

// ---- worker ----

namespace {

constexpr std::size_t kMaximumProblems = 1000;  // more are dropped, so that none can fill the memory
constexpr std::size_t kLongestMessage = 1015;   // as that of an error
constexpr std::size_t kLongestPath = 1024;

// What the sink points to.
struct Findings {
  CallContext& call;
  std::vector<ModelProblem> problems;
  KeptFailure failure;
};

void on_problem(void* context, const rh_problem* problem) {
  auto& findings = *static_cast<Findings*>(context);
  findings.failure.keep([&] {
    if (!reaches_floor(problem))
      throw Error(RH_ENGINE_BROKEN, "inspect: the record of a problem is too small (rule P10)");
    if (findings.problems.size() >= kMaximumProblems) return;
    const bool known = problem->code != RH_OK && is_known(problem->code);
    const std::string message = cleaned_text(problem->message, kLongestMessage);
    findings.problems.push_back({known ? problem->code : RH_ENGINE_INTERNAL,
                                 problem->file == nullptr ? "" : cleaned_text(problem->file, kLongestPath),
                                 message.empty() ? "the engine gave no message" : message});
  });
}

std::int32_t on_cancelled(void* context) {
  auto& findings = *static_cast<Findings*>(context);
  return asks_to_stop(findings.call) || findings.failure.failed() ? 1 : 0;
}

}  // namespace

Message work_inspect(LoadedEngine& engine, const Message& request, CallContext& call) {
  const auto task = decode<InspectTask>(request.json);
  const Plugin::Engine& loaded = engine.engine();
  const auto& extension = loaded.extension<rh_inspect>(RH_INSPECT_ID);
  const SourceRecord source(task.model, call);
  Findings findings{call, {}, {}};
  const rh_inspect_sink sink{sizeof sink, 0, &findings, on_problem, on_cancelled};
  run_call(call, "inspect", [&] {
    const Answer answer = loaded.call("inspect", [&](rh_engine* raw, rh_error* error) {
      return extension.model(raw, &source.get(), &sink, error);
    });
    findings.failure.rethrow();
    answer.check();
  });
  return {encode(findings.problems)};
}

// ---- messages ----

std::string encode(const InspectTask& task) {
  return message_text({{"model", task.model}});
}

template <>
InspectTask decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return InspectTask{member<ModelSource>(json, "model")}; });
}

std::string encode(const std::vector<ModelProblem>& problems) {
  return message_text({{"problems", problems}});
}

template <>
std::vector<ModelProblem> decode(const std::string& text) {
  return read_message(text,
                      [](const Json& json) { return member<std::vector<ModelProblem>>(json, "problems"); });
}

}  // namespace roundhouse::host
