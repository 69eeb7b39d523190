// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/embed.h"

#include <fmt/format.h>

#include <cstring>

#include "host/loading/text_calls.h"
#include "host/worker/engine_call.h"
#include "host/worker/message_json.h"
#include "host/worker/ops/packed_texts.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {

using Json = nlohmann::json;

namespace {

constexpr std::uint64_t kMostVectorBytes = 65536 * sizeof(float);

// ---- host ----

// Hears the vectors of one call.
class EmbedListener {
 public:
  EmbedListener(const EmbedTask& task, const EmbeddingSeen& seen) : task_(task), seen_(seen) {}

  void take(const Message& event, bool stopping) {
    Embedding vector;
    read_message(event.json, [&](const Json& json) {
      vector.index = json.at(0).get<std::uint32_t>();
      vector.tokens = json.at(1).get<std::uint32_t>();
      return 0;
    });
    const std::size_t bytes = event.payload.size();
    if (vector.index != done_ || done_ == task_.texts.size() || bytes == 0 || bytes % sizeof(float) != 0)
      throw FrameError("a vector that nobody asked for");
    vector.values.resize(bytes / sizeof(float));
    std::memcpy(vector.values.data(), event.payload.data(), bytes);
    ++done_;
    report_.tokens += vector.tokens;
    if (!stopping && seen_) seen_(std::move(vector));
  }

  EmbedReport report(const Message& answer) {
    if (done_ != task_.texts.size()) throw FrameError("fewer vectors than texts");
    report_.peak_memory_bytes =
        read_message(answer.json, [](const Json& json) { return json.get<std::uint64_t>(); });
    return report_;
  }

  std::string position() const { return fmt::format("text {} of {}", done_ + 1, task_.texts.size()); }

 private:
  const EmbedTask& task_;
  const EmbeddingSeen& seen_;
  std::size_t done_ = 0;
  EmbedReport report_;
};

}  // namespace

EmbedReport embed(EngineClient& client, const EmbedTask& task, const EmbeddingSeen& seen) {
  EmbedListener listener(task, seen);
  EmbedReport report;
  client.call({.operation = "embed",
               .request = message_of(task),
               .maximum_event = kMostVectorBytes,
               .private_texts = task.texts,
               .answer = [&](Message& answer) { report = listener.report(answer); },
               .event = [&](Message& event, bool stopping) { listener.take(event, stopping); },
               .position = [&] { return listener.position(); }});
  return report;
}

// ---- worker ----

namespace {

CallContext& embed_call(void* context) {
  return *static_cast<CallContext*>(context);
}

std::int32_t on_embed_cancelled(void* context) {
  return asks_to_stop(embed_call(context)) ? 1 : 0;
}

rh_status on_vector(void* context, const rh_vector* vector, rh_error* /*error*/) {
  CallContext& call = embed_call(context);
  if (call.is_cancelled()) throw Error(RH_CANCELLED, "cancelled");
  Message event{fmt::format("[{},{}]", vector->index, vector->tokens),
                std::vector<std::uint8_t>(vector->width * sizeof(float))};
  std::memcpy(event.payload.data(), vector->values, event.payload.size());
  call.send(std::move(event));
  return RH_OK;
}

}  // namespace

Message work_embed(LoadedEngine& engine, const Message& request, CallContext& call) {
  const EmbedTask task = embed_task_of(request);
  std::vector<rh_text_view> texts;
  for (const std::string& text : task.texts)
    texts.push_back({text.data(), text.size()});
  const OptionRecords options(task.options);
  rh_embedding_request record{};
  record.struct_size = sizeof record;
  record.count = static_cast<std::uint32_t>(texts.size());
  record.texts = texts.data();
  record.dimensions = task.dimensions;
  record.truncate = task.truncate ? 1 : 0;
  record.normalise = task.normalise ? 1 : 0;
  record.options = options.list();
  const rh_embedding_sink sink{sizeof sink, 0, &call, on_embed_cancelled, on_vector};
  run_call(call, "embed", [&] { embed_texts(engine.model(), record, sink); });
  return {fmt::format("{}", peak_memory_bytes())};
}

// ---- messages ----

Message message_of(const EmbedTask& task) {
  TextPacker packer;
  const Json json = {{"texts", packer.add_all(task.texts)},
                     {"dimensions", task.dimensions},
                     {"truncate", task.truncate},
                     {"normalise", task.normalise},
                     {"options", task.options}};
  return {message_text(json), packer.take()};
}

EmbedTask embed_task_of(const Message& message) {
  return read_message(message.json, [&](const Json& json) {
    TextUnpacker texts(message.payload);
    EmbedTask task;
    task.texts = texts.next_all(json.at("texts"));
    texts.expect_end();
    task.dimensions = member<std::uint32_t>(json, "dimensions");
    task.truncate = member<bool>(json, "truncate");
    task.normalise = member<bool>(json, "normalise");
    task.options = member<std::vector<EngineOption>>(json, "options");
    return task;
  });
}

}  // namespace roundhouse::host
