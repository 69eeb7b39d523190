// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "host/loading/text.h"
#include "host/worker/engine_call.h"
#include "host/worker/message_json.h"
#include "host/worker/ops/image.h"
#include "host/worker/ops/load.h"
#include "host/worker/ops/task_json.h"
#include "host/worker/redaction.h"
#include "roundhouse/ext/draft/trace.h"

namespace roundhouse::host {

using Json = nlohmann::json;

namespace {

constexpr std::uint64_t kValueBytes = 4;
constexpr std::uint64_t kLargestTensor = std::uint64_t{256} << 20;  // bytes
constexpr std::size_t kMaximumTensors = 65536;
constexpr std::size_t kLongestName = 64;

bool is_tensor_name(const std::string& name) {
  return !name.empty() && name.size() <= kLongestName && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
  });
}

// Of its data by its shape; none for a shape that cannot be.
std::optional<std::uint64_t> bytes_of(const std::vector<std::uint64_t>& shape) {
  if (shape.empty() || shape.size() > RH_TENSOR_AXES) return std::nullopt;
  std::uint64_t bytes = kValueBytes;
  for (const std::uint64_t axis : shape) {
    if (axis == 0 || axis > kLargestTensor / bytes) return std::nullopt;
    bytes *= axis;
  }
  return bytes;
}

// ---- host ----

TraceTensor tensor_of(Message& event) {
  auto tensor = decode<TraceTensor>(event.json);
  if (!is_tensor_name(tensor.name) || bytes_of(tensor.shape) != event.payload.size())
    throw FrameError("a tensor of another size than its shape");
  tensor.data = std::move(event.payload);
  return tensor;
}

}  // namespace

void trace(EngineClient& client, const TraceTask& task, const std::function<void(TraceTensor)>& seen) {
  client.call({.operation = "trace",
               .request = with_init(encode(task), task.image),
               .silence = &Timeouts::load,
               .maximum_event = kLargestTensor,
               .private_texts = private_texts(task.image),
               .answer = [](Message&) {},
               .event =
                   [&](Message& event, bool stopping) {
                     TraceTensor tensor = tensor_of(event);
                     if (!stopping) seen(std::move(tensor));
                   }});
}

// ---- worker ----

namespace {

// What the sink points to.
struct Tracing {
  CallContext& call;
  std::set<std::string> told;
  KeptFailure failure;
};

[[noreturn]] void refuse_tensor(const std::string& what) {
  throw Error(RH_ENGINE_BROKEN, "trace: " + what + " (rule P44)");
}

TraceTensor checked_tensor(const rh_tensor& from) {
  TraceTensor tensor;
  tensor.name = from.name == nullptr ? "" : cleaned_text(from.name, kLongestName + 1);
  if (!is_tensor_name(tensor.name)) refuse_tensor("the name of a tensor is '" + tensor.name + "'");
  if (from.type != RH_TENSOR_F32 && from.type != RH_TENSOR_I32)
    refuse_tensor(fmt::format("tensor '{}' is of type {}", tensor.name, from.type));
  tensor.type = from.type == RH_TENSOR_F32 ? TraceTensor::Type::f32 : TraceTensor::Type::i32;
  if (from.rank <= RH_TENSOR_AXES) tensor.shape.assign(from.shape, from.shape + from.rank);
  const auto bytes = bytes_of(tensor.shape);
  if (!bytes) refuse_tensor(fmt::format("tensor '{}' has no shape that can be", tensor.name));
  if (from.data == nullptr) refuse_tensor(fmt::format("tensor '{}' has no data", tensor.name));
  const auto* data = static_cast<const std::uint8_t*>(from.data);
  tensor.data.assign(data, data + *bytes);
  return tensor;
}

void on_tensor(void* context, const rh_tensor* told) {
  auto& tracing = *static_cast<Tracing*>(context);
  tracing.failure.keep([&] {
    if (!reaches_floor(told))
      throw Error(RH_ENGINE_BROKEN, "trace: the record of a tensor is too small (rule P10)");
    TraceTensor tensor = checked_tensor(*told);
    if (tracing.told.size() >= kMaximumTensors) refuse_tensor("more tensors than a run can have");
    if (!tracing.told.insert(tensor.name).second) refuse_tensor("tensor '" + tensor.name + "' comes twice");
    std::string json = encode(tensor);
    tracing.call.send({std::move(json), std::move(tensor.data)});
  });
}

std::int32_t on_trace_cancelled(void* context) {
  auto& tracing = *static_cast<Tracing*>(context);
  return asks_to_stop(tracing.call) || tracing.failure.failed() ? 1 : 0;
}

}  // namespace

Message work_trace(LoadedEngine& engine, const Message& request, CallContext& call) {
  auto task = decode<TraceTask>(request.json);
  take_init(request, task.image);
  const Plugin::Engine& loaded = engine.engine();
  const auto& extension = loaded.extension<rh_trace>(RH_TRACE_ID);
  const SourceRecord source(task.model, call);
  const ImageRecord image(task.image);
  Tracing tracing{call, {}, {}};
  const rh_trace_sink sink{sizeof sink, 0, &tracing, on_tensor, on_trace_cancelled};
  run_call(call, "trace", [&] {
    const Answer answer = loaded.call("trace", [&](rh_engine* raw, rh_error* error) {
      return extension.image(raw, &source.get(), &image.get(), &sink, error);
    });
    tracing.failure.rethrow();
    answer.check();
  });
  return {"{}"};
}

// ---- messages ----

std::string encode(const TraceTask& task) {
  return message_text({{"model", task.model}, {"image", task.image}});
}

template <>
TraceTask decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return TraceTask{member<ModelSource>(json, "model"), member<ImageTask>(json, "image")};
  });
}

std::string encode(const TraceTensor& tensor) {
  return message_text(
      {{"name", tensor.name}, {"integers", tensor.type == TraceTensor::Type::i32}, {"shape", tensor.shape}});
}

template <>
TraceTensor decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    TraceTensor tensor;
    tensor.name = member<std::string>(json, "name");
    tensor.type = member<bool>(json, "integers") ? TraceTensor::Type::i32 : TraceTensor::Type::f32;
    tensor.shape = member<std::vector<std::uint64_t>>(json, "shape");
    return tensor;
  });
}

}  // namespace roundhouse::host
