// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/convert.h"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <optional>

#include "host/loading/text.h"
#include "host/worker/engine_call.h"
#include "host/worker/message_json.h"
#include "host/worker/system_state.h"
#include "roundhouse/ext/convert.h"
#include "roundhouse/floor.hpp"

namespace roundhouse::host {

using Json = nlohmann::json;

static void to_json(Json& json, const ConvertedTensor& tensor) {
  json = Json::array({tensor.file, tensor.name, tensor.from, tensor.to, tensor.shape, tensor.size_bytes,
                      tensor.elements, tensor.squares, tensor.squares_of_errors});
}
static void from_json(const Json& json, ConvertedTensor& tensor) {
  tensor = {json.at(0).get<std::string>(),
            json.at(1).get<std::string>(),
            json.at(2).get<std::string>(),
            json.at(3).get<std::string>(),
            json.at(4).get<std::vector<std::uint64_t>>(),
            json.at(5).get<std::uint64_t>(),
            json.at(6).get<std::uint64_t>(),
            json.at(7).get<double>(),
            json.at(8).get<double>()};
}

// ---- host ----

namespace {

// The tensors of the greatest models take a few hundred kilobytes.
constexpr std::uint64_t kMaximumTensorListBytes = std::uint64_t{64} << 20;

}  // namespace

ConvertResult convert(EngineClient& client, const ConvertTask& task, const ConvertProgress& seen) {
  ConvertResult result;
  client.call({.operation = "convert",
               .request = {encode(task)},
               .maximum_answer = kMaximumTensorListBytes,
               .answer =
                   [&](Message& answer) {
                     result = decode<ConvertResult>(answer.json);
                     result.tensors = decode_tensors(answer.payload);
                   },
               .event =
                   [&](Message& event, bool stopping) {
                     const auto progress = decode<ConvertEvent>(event.json);
                     if (!stopping && seen) seen(progress);
                   }});
  return result;
}

// ---- worker ----

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaximumTensors = 100'000;  // more than any model has
constexpr std::size_t kMaximumText = 1024;
constexpr std::uint32_t kMaximumRank = 8;

constexpr std::chrono::milliseconds kProgressInterval{50};

// What the sink's context points to.
struct Conversion {
  CallContext& call;
  ConvertResult result = {};
  KeptFailure failure = {};
  Clock::time_point told = {};
  std::optional<std::uint64_t> furthest = {};  // bytes that were told: the same again is as good as silence
};

Conversion& conversion_of(void* context) {
  return *static_cast<Conversion*>(context);
}

[[noreturn]] void refuse(const std::string& what) {
  throw Error(RH_ENGINE_BROKEN, what + " (rule P10)");
}

// A text of a record; NULL is refused unless it may be.
std::string text_of(const char* text, const char* name) {
  if (text == nullptr) refuse(std::string("convert: ") + name + " is NULL");
  return cleaned_text(text, kMaximumText);
}

std::int32_t on_cancelled(void* context) {
  const Conversion& conversion = conversion_of(context);
  return asks_to_stop(conversion.call) || conversion.failure.failed() ? 1 : 0;
}

void on_progress(void* context, const rh_convert_progress* progress) {
  Conversion& conversion = conversion_of(context);
  conversion.failure.keep([&] {
    if (!reaches_floor(progress)) refuse("convert: a progress record is too small");
    const ConvertEvent event{text_of(progress->file, "file"), cleaned_text(progress->tensor, kMaximumText),
                             progress->done_bytes, progress->total_bytes};
    const Clock::time_point now = Clock::now();
    const bool whole = event.done_bytes >= event.total_bytes;
    if (conversion.furthest && event.done_bytes <= *conversion.furthest) return;
    if (now - conversion.told < kProgressInterval && !whole) return;
    conversion.told = now;
    conversion.furthest = event.done_bytes;
    conversion.call.send({encode(event)});
  });
}

void on_tensor(void* context, const rh_convert_tensor* tensor) {
  Conversion& conversion = conversion_of(context);
  conversion.failure.keep([&] {
    if (!reaches_floor(tensor)) refuse("convert: a tensor record is too small");
    if (tensor->rank > kMaximumRank || (tensor->rank > 0 && tensor->shape == nullptr))
      refuse(fmt::format("convert: a tensor of rank {}", tensor->rank));
    if (!std::isfinite(tensor->squares) || !std::isfinite(tensor->squares_of_errors))
      refuse("convert: an error that is not a number");
    if (conversion.result.tensors.size() >= kMaximumTensors) refuse("convert: tensors without end");
    conversion.result.tensors.push_back({text_of(tensor->file, "file"),
                                         text_of(tensor->name, "name"),
                                         text_of(tensor->from, "from"),
                                         text_of(tensor->to, "to"),
                                         {tensor->shape, tensor->shape + tensor->rank},
                                         tensor->size_bytes,
                                         tensor->elements,
                                         tensor->squares,
                                         tensor->squares_of_errors});
  });
}

}  // namespace

Message work_convert(LoadedEngine& engine, const Message& request, CallContext& call) {
  const auto task = decode<ConvertTask>(request.json);
  const Plugin::Engine& loaded = engine.engine();
  const auto& extension = loaded.extension<rh_convert>(RH_CONVERT_ID);
  Conversion conversion{call};
  const OptionRecords options(task.options);
  const std::string source = task.source.string(), target = task.target.string();
  const rh_convert_request record{sizeof record,     0,
                                  source.c_str(),    target.c_str(),
                                  task.type.c_str(), task.format.empty() ? nullptr : task.format.c_str(),
                                  options.list()};
  const rh_convert_sink sink{sizeof sink, 0, &conversion, on_progress, on_tensor, on_cancelled};
  run_call(call, "convert", [&] {
    const Answer answer = loaded.call("convert", [&](rh_engine* raw, rh_error* error) {
      return extension.run(raw, &record, &sink, error);
    });
    if (!conversion.failure.failed()) answer.check();
  });
  conversion.failure.rethrow();
  conversion.result.peak_memory_bytes = peak_memory_bytes();
  return {encode(conversion.result), encode_tensors(conversion.result.tensors)};
}

// ---- messages ----

std::string encode(const ConvertTask& task) {
  return message_text({{"source", path_text(task.source)},
                       {"target", path_text(task.target)},
                       {"type", task.type},
                       {"format", task.format},
                       {"options", task.options}});
}

template <>
ConvertTask decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ConvertTask{member<std::string>(json, "source"), member<std::string>(json, "target"),
                       member<std::string>(json, "type"), member<std::string>(json, "format"),
                       member<std::vector<EngineOption>>(json, "options")};
  });
}

std::string encode(const ConvertEvent& event) {
  return message_text({{"file", event.file},
                       {"tensor", event.tensor},
                       {"done_bytes", event.done_bytes},
                       {"total_bytes", event.total_bytes}});
}

template <>
ConvertEvent decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ConvertEvent{member<std::string>(json, "file"), member<std::string>(json, "tensor"),
                        member<std::uint64_t>(json, "done_bytes"),
                        member<std::uint64_t>(json, "total_bytes")};
  });
}

std::string encode(const ConvertResult& result) {
  return message_text({{"peak_memory_bytes", result.peak_memory_bytes}});
}

template <>
ConvertResult decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ConvertResult{{}, member<std::uint64_t>(json, "peak_memory_bytes")};
  });
}

std::vector<std::uint8_t> encode_tensors(const std::vector<ConvertedTensor>& tensors) {
  const std::string text = message_text(tensors);
  return {text.begin(), text.end()};
}

std::vector<ConvertedTensor> decode_tensors(const std::vector<std::uint8_t>& payload) {
  return read_message(payload, [](const Json& json) { return json.get<std::vector<ConvertedTensor>>(); });
}

}  // namespace roundhouse::host
