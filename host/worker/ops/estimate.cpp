// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/estimate.h"

#include <fmt/format.h>

#include "host/loading/text.h"
#include "host/worker/engine_call.h"
#include "host/worker/message_json.h"
#include "host/worker/ops/image.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/task_json.h"
#include "host/worker/redaction.h"
#include "roundhouse/ext/estimate.h"

namespace roundhouse::host {

using Json = nlohmann::json;

static void to_json(Json& json, const MemoryPart& part) {
  json = Json::array({part.device, part.part, part.bytes});
}
static void from_json(const Json& json, MemoryPart& part) {
  part = {json.at(0).get<std::string>(), json.at(1).get<std::string>(), json.at(2).get<std::uint64_t>()};
}

static void to_json(Json& json, const StageEstimate& stage) {
  json =
      Json::array({stage.stage, stage.milliseconds, stage.operations, stage.peak_memory_bytes, stage.memory});
}
static void from_json(const Json& json, StageEstimate& stage) {
  stage = {json.at(0).get<std::string>(), json.at(1).get<double>(), json.at(2).get<std::uint64_t>(),
           json.at(3).get<std::uint64_t>(), json.at(4).get<std::vector<MemoryPart>>()};
}

// ---- host ----

Estimate estimate(EngineClient& client, const EstimateTask& task) {
  Estimate estimate;
  client.call({.operation = "estimate",
               .request = with_init(encode(task), task.image),
               .silence = &Timeouts::load,
               .private_texts = private_texts(task.image),
               .answer = [&](Message& answer) { estimate = decode<Estimate>(answer.json); }});
  return estimate;
}

// ---- worker ----

namespace {

// More than any sensible engine sends; beyond it stages and parts are dropped, so that none can fill the
// memory.
constexpr std::size_t kMaximumStages = 65536;
constexpr std::size_t kMaximumParts = 65536;
constexpr std::size_t kLongestText = 200;

// What the sink points to.
struct Answers {
  Capabilities capabilities;  // of the engine
  Estimate estimate;
  std::size_t parts = 0;
  KeptFailure failure;
};

void on_stage(void* context, const rh_stage_estimate* stage) {
  auto& answers = *static_cast<Answers*>(context);
  answers.failure.keep([&] {
    if (!reaches_floor(stage)) {
      throw Error(RH_ENGINE_BROKEN, "estimate: the record of a stage is too small (rule P10)");
    }
    if (answers.estimate.stages.size() >= kMaximumStages) return;
    answers.estimate.stages.push_back({stage_name(stage->stage), static_cast<double>(stage->elapsed_ns) / 1e6,
                                       stage->operations, stage->peak_bytes});
  });
}

void on_held(void* context, std::uint64_t bytes) {
  static_cast<Answers*>(context)->estimate.held_memory_bytes = bytes;
}

std::string checked_text(const char* text, const char* field) {
  const std::string problem = problem_of_text(text, kLongestText);
  if (!problem.empty())
    throw Error(RH_ENGINE_BROKEN,
                std::string("estimate: ") + field + " of a part of memory " + problem + " (rule P41)");
  return text;
}

// The parts of a stage that was told, or of what is held.
std::vector<MemoryPart>& parts_of(Estimate& estimate, std::uint32_t stage) {
  if (stage == RH_MEMORY_HELD) return estimate.held_memory;
  for (StageEstimate& told : estimate.stages) {
    if (told.stage == stage_name(stage)) return told.memory;
  }
  throw Error(RH_ENGINE_BROKEN,
              fmt::format("estimate: memory of stage {}, which was not told before (rule P41)", stage));
}

void on_memory(void* context, const rh_memory_part* part) {
  auto& answers = *static_cast<Answers*>(context);
  answers.failure.keep([&] {
    if (!reaches_floor(part))
      throw Error(RH_ENGINE_BROKEN, "estimate: the record of a part of memory is too small (rule P10)");
    if (++answers.parts > kMaximumParts) return;
    MemoryPart told{checked_text(part->device, "device"), checked_text(part->part, "the name"), part->bytes};
    if (!has_capability(answers.capabilities, "device", told.device))
      throw Error(RH_ENGINE_BROKEN, "estimate: memory on device '" + told.device +
                                        "', which the engine does not list (rule P41)");
    parts_of(answers.estimate, part->stage).push_back(std::move(told));
  });
}

}  // namespace

Message work_estimate(LoadedEngine& engine, const Message& request, CallContext& call) {
  auto task = decode<EstimateTask>(request.json);
  take_init(request, task.image);
  const Plugin::Engine& loaded = engine.engine();
  const auto& extension = loaded.extension<rh_estimate>(RH_ESTIMATE_ID);
  const SourceRecord source(task.model, call);
  const ImageRecord image(task.image);
  Answers answers{engine.report().capabilities, {}, 0, {}};
  const rh_estimate_sink sink{sizeof(rh_estimate_sink), 0, &answers, on_stage, on_held, on_memory};
  run_call(call, "estimate", [&] {
    const Answer answer = loaded.call("estimate", [&](rh_engine* raw, rh_error* error) {
      return extension.image(raw, &source.get(), &image.get(), &sink, error);
    });
    answers.failure.rethrow();
    answer.check();
  });
  return {encode(answers.estimate)};
}

// ---- messages ----

std::string encode(const EstimateTask& task) {
  return message_text({{"model", task.model}, {"image", task.image}});
}

template <>
EstimateTask decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return EstimateTask{member<ModelSource>(json, "model"), member<ImageTask>(json, "image")};
  });
}

std::string encode(const Estimate& estimate) {
  return message_text({{"stages", estimate.stages},
                       {"held_memory_bytes", estimate.held_memory_bytes},
                       {"held_memory", estimate.held_memory}});
}

template <>
Estimate decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return Estimate{member<std::vector<StageEstimate>>(json, "stages"),
                    member<std::uint64_t>(json, "held_memory_bytes"),
                    member<std::vector<MemoryPart>>(json, "held_memory")};
  });
}

}  // namespace roundhouse::host
