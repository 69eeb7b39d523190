// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/load.h"

#include <algorithm>
#include <chrono>

#include "host/registry/registry.h"
#include "host/text/elapsed.h"
#include "host/worker/message_json.h"
#include "host/worker/ops/task_json.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {

using Json = nlohmann::json;

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kProgressInterval{50};

}  // namespace

// ---- host ----

Call load_call(const ModelSource& source, const CallEvents& events, OpenResult& result) {
  return {.operation = "load",
          .request = {encode(source)},
          .silence = &Timeouts::load,
          .answer = [&result](Message& answer) { result = decode<OpenResult>(answer.json); },
          .event =
              [&events](Message& event, bool stopping) {
                const auto progress = decode<ProgressEvent>(event.json);
                if (!stopping && events.progress) events.progress(progress);
              }};
}

// ---- worker ----

SourceRecord::SourceRecord(const ModelSource& source, CallContext& call, std::function<void(double)> progress)
    : options_(source.options), call_(call), progress_(std::move(progress)) {
  sink_.struct_size = sizeof sink_;
  sink_.context = this;
  sink_.progress = [](void* context, double fraction) {
    const auto& self = *static_cast<SourceRecord*>(context);
    // A NaN is no more than 0, too.
    if (self.progress_) self.progress_(fraction > 0 ? std::min(fraction, 1.0) : 0);
  };
  sink_.cancelled = [](void* context) -> std::int32_t {
    return asks_to_stop(static_cast<SourceRecord*>(context)->call_) ? 1 : 0;
  };
  record_.struct_size = sizeof record_;
  record_.directory = source.directory.empty() ? nullptr : source.directory.c_str();
  record_.architecture = source.directory.empty() ? nullptr : source.architecture.c_str();
  record_.memory_limit_bytes = source.memory_limit_bytes;
  record_.options = options_.list();
  record_.sink = &sink_;
}

Message work_load(LoadedEngine& engine, const Message& request, CallContext& call) {
  const auto source = decode<ModelSource>(request.json);
  const Clock::time_point begin = Clock::now();
  engine.engine();
  engine.close_model();
  Clock::time_point told{};
  double furthest = -1;  // that was told: the same again is as good as silence
  const SourceRecord record(source, call, [&](double fraction) {
    const Clock::time_point now = Clock::now();
    if (fraction <= furthest || (now - told < kProgressInterval && fraction < 1)) return;
    told = now;
    furthest = fraction;
    call.send({encode(ProgressEvent{"load", 0, 0, 0, fraction})});
  });
  run_call(call, "load", [&] { engine.open_model(record.get()); });

  OpenResult result;
  result.engine = engine.report();
  result.model = engine.model().facts();
  result.capacity = engine.capacity();
  result.load_milliseconds = milliseconds_since(begin);
  result.peak_memory_bytes = peak_memory_bytes();
  return {encode(result)};
}

// ---- messages ----

void to_json(Json& json, const ModelSource& source) {
  json = {{"directory", path_text(source.directory)},
          {"architecture", source.architecture},
          {"memory_limit_bytes", source.memory_limit_bytes},
          {"options", source.options}};
}

void from_json(const Json& json, ModelSource& source) {
  source = {member<std::string>(json, "directory"), member<std::string>(json, "architecture"),
            member<std::uint64_t>(json, "memory_limit_bytes"),
            member<std::vector<EngineOption>>(json, "options")};
}

std::string encode(const ModelSource& source) {
  return message_text(source);
}

template <>
ModelSource decode(const std::string& text) {
  return read_message(text, [](const Json& json) { return json.get<ModelSource>(); });
}

std::string encode(const OpenResult& result) {
  return message_text({{"engine", result.engine},
                       {"model", result.model},
                       {"capacity", result.capacity},
                       {"load_milliseconds", result.load_milliseconds},
                       {"peak_memory_bytes", result.peak_memory_bytes}});
}

template <>
OpenResult decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return OpenResult{member<EngineReport>(json, "engine"), member<Facts>(json, "model"),
                      member<std::uint32_t>(json, "capacity"), member<double>(json, "load_milliseconds"),
                      member<std::uint64_t>(json, "peak_memory_bytes")};
  });
}

}  // namespace roundhouse::host
