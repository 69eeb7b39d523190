// SPDX-License-Identifier: Apache-2.0
#include "host/worker/ops/text.h"

#include <fmt/format.h>

#include <cstring>

#include "host/loading/text_calls.h"
#include "host/worker/message_json.h"
#include "host/worker/progress_rate.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {

using Json = nlohmann::json;

namespace {

// What a watched piece may have at most: its text, and what its tokens stand for.
constexpr std::uint64_t kMostPieceBytes = (std::uint64_t{2} << 20) + 4096;
constexpr std::uint64_t kMostPromptBytes = (std::uint64_t{256} << 20) + (std::uint64_t{1} << 28);

// ---- messages ----

std::string encode(const TextReport& report) {
  return message_text({{"finish", static_cast<std::uint32_t>(report.finish)},
                       {"prompt_tokens", report.prompt_tokens},
                       {"cached_tokens", report.cached_tokens},
                       {"answer_tokens", report.answer_tokens},
                       {"stop", report.stop ? Json(*report.stop) : Json(nullptr)},
                       {"prompt_milliseconds", report.prompt_milliseconds},
                       {"answer_milliseconds", report.answer_milliseconds},
                       {"wait_milliseconds", report.wait_milliseconds},
                       {"peak_memory_bytes", report.peak_memory_bytes}});
}

TextReport text_report_of(const std::string& text) {
  return read_message(text, [](const Json& json) {
    TextReport report;
    const auto finish = member<std::uint32_t>(json, "finish");
    if (finish < RH_FINISH_STOP || finish > RH_FINISH_TOOL_CALLS)
      throw FrameError("a text that ended for a reason that there is not");
    report.finish = static_cast<Finish>(finish);
    report.prompt_tokens = member<std::uint32_t>(json, "prompt_tokens");
    report.cached_tokens = member<std::uint32_t>(json, "cached_tokens");
    report.answer_tokens = member<std::uint32_t>(json, "answer_tokens");
    if (!json.at("stop").is_null()) report.stop = member<std::uint32_t>(json, "stop");
    report.prompt_milliseconds = member<double>(json, "prompt_milliseconds");
    report.answer_milliseconds = member<double>(json, "answer_milliseconds");
    report.wait_milliseconds = member<double>(json, "wait_milliseconds");
    report.peak_memory_bytes = member<std::uint64_t>(json, "peak_memory_bytes");
    return report;
  });
}

// ---- host ----

// Hears the events of one call.
class TextListener {
 public:
  explicit TextListener(const TextEvents& events) : events_(events) {}

  void take(const Message& event, bool stopping) {
    if (event.json.starts_with('[')) return take_prompt(event, stopping);
    const TextPiece piece = text_piece_of(event);
    ++pieces_;
    if (!stopping && events_.piece) events_.piece(piece);
  }

  std::string position() const {
    if (pieces_ > 0) return fmt::format("the answer, after {} pieces", pieces_);
    return tokens_ == 0 ? "" : fmt::format("the prompt, after {} of {} tokens", done_, tokens_);
  }

 private:
  void take_prompt(const Message& event, bool stopping) {
    read_message(event.json, [&](const Json& json) {
      done_ = json.at(0).get<std::uint32_t>();
      tokens_ = json.at(1).get<std::uint32_t>();
      return 0;
    });
    if (!stopping && events_.prompt) events_.prompt(done_, tokens_);
  }

  const TextEvents& events_;
  std::uint32_t done_ = 0, tokens_ = 0;
  std::uint64_t pieces_ = 0;
};

}  // namespace

std::vector<std::string> private_texts(const TextTask& task) {
  std::vector<std::string> texts{task.prompt};
  if (task.messages) texts.push_back(*task.messages);
  return texts;
}

TextReport write_text(EngineClient& client, const TextTask& task, const TextEvents& events) {
  TextListener listener(events);
  TextReport report;
  client.call({.operation = "text",
               .request = message_of(task),
               .maximum_event = kMostPieceBytes,
               .private_texts = private_texts(task),
               .answer = [&](Message& answer) { report = text_report_of(answer.json); },
               .event = [&](Message& event, bool stopping) { listener.take(event, stopping); },
               .position = [&] { return listener.position(); }});
  return report;
}

RenderedPrompt render_prompt(EngineClient& client, const TextTask& task) {
  RenderedPrompt prompt;
  const auto read = [&](Message& answer) {
    const auto bytes = read_message(answer.json, [](const Json& json) { return json.get<std::uint64_t>(); });
    if (bytes > answer.payload.size() || (answer.payload.size() - bytes) % sizeof(std::int32_t) != 0)
      throw FrameError("a prompt that does not fill its message");
    prompt.text.assign(answer.payload.begin(), answer.payload.begin() + static_cast<std::ptrdiff_t>(bytes));
    prompt.ids.resize((answer.payload.size() - bytes) / sizeof(std::int32_t));
    if (!prompt.ids.empty())
      std::memcpy(prompt.ids.data(), answer.payload.data() + bytes, answer.payload.size() - bytes);
  };
  client.call({.operation = "render",
               .request = message_of(task),
               .maximum_answer = kMostPromptBytes,
               .private_texts = private_texts(task),
               .answer = read});
  return prompt;
}

// ---- worker ----

namespace {

rh_text_view view_of(const std::string& text) {
  return {text.data(), text.size()};
}

const char* c_text(const std::optional<std::string>& text) {
  return text ? text->c_str() : nullptr;
}

double text_milliseconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

// Without the biases.
rh_sampling sampling_record(const Sampling& from) {
  rh_sampling record{};
  record.struct_size = sizeof record;
  record.top_k = from.top_k;
  record.seed = from.seed;
  record.temperature = from.temperature;
  record.top_p = from.top_p;
  record.min_p = from.min_p;
  record.typical_p = from.typical_p;
  record.repetition_penalty = from.repetition_penalty;
  record.presence_penalty = from.presence_penalty;
  record.frequency_penalty = from.frequency_penalty;
  record.repeat_last_n = from.repeat_last_n;
  record.dry_allowed_length = from.dry_allowed_length;
  record.dry_multiplier = from.dry_multiplier;
  record.dry_base = from.dry_base;
  record.mirostat_tau = from.mirostat_tau;
  record.mirostat_eta = from.mirostat_eta;
  return record;
}

// What the sink's context points to. The functions below may throw: the loading room's watch keeps it from
// crossing the plugin.
struct Writing {
  CallContext& call;
  TextReport report = {};
  std::uint32_t prompt_done = 0;
  std::optional<std::uint32_t> tool_call = {};  // the last one told
  ProgressRate rate = {};
};

Writing& writing_of(void* context) {
  return *static_cast<Writing*>(context);
}

std::int32_t on_text_cancelled(void* context) {
  return asks_to_stop(writing_of(context).call) ? 1 : 0;
}

// A report that goes no further than the one before is as good as silence, and is not passed on.
void on_prompt(void* context, std::uint32_t done, std::uint32_t tokens) {
  Writing& writing = writing_of(context);
  if (done <= writing.prompt_done) return;
  writing.prompt_done = done;
  if (done == tokens || writing.rate.allows()) writing.call.send({fmt::format("[{},{}]", done, tokens)});
}

std::string text_of(const rh_text_view& view) {
  return view.bytes == 0 ? std::string() : std::string(view.text, view.bytes);
}

TextPiece piece_of(const rh_text_piece& record) {
  TextPiece piece{static_cast<Channel>(record.channel), text_of(record.text), {}, record.tool_call, {}};
  if (record.tool_name != nullptr) piece.tool_name = record.tool_name;
  for (std::uint32_t i = 0; i < record.token_count; ++i) {
    const rh_text_token& from = record.tokens[i];
    TextToken& token = piece.tokens.emplace_back();
    static_cast<TopToken&>(token) = {from.id, from.logprob, text_of(from.bytes)};
    for (std::uint32_t k = 0; k < from.top_count; ++k)
      token.top.push_back({from.top[k].id, from.top[k].logprob, text_of(from.top[k].bytes)});
  }
  return piece;
}

// One that holds nothing is as good as silence. Whoever asks to stop is heard here, too.
rh_status on_piece(void* context, const rh_text_piece* piece, rh_error* /*error*/) {
  Writing& writing = writing_of(context);
  if (writing.call.is_cancelled()) throw Error(RH_CANCELLED, "cancelled");
  if (piece->text.bytes > 0 || piece->token_count > 0 || piece->tool_name != nullptr)
    writing.call.send(message_of(piece_of(*piece)));
  return RH_OK;
}

void on_report(void* context, const rh_text_report* report) {
  TextReport& told = writing_of(context).report;
  told.finish = static_cast<Finish>(report->finish);
  told.prompt_tokens = report->prompt_tokens;
  told.cached_tokens = report->cached_tokens;
  told.answer_tokens = report->answer_tokens;
  if (report->stop != UINT32_MAX) told.stop = report->stop;
  told.prompt_milliseconds = text_milliseconds(report->prompt_ns);
  told.answer_milliseconds = text_milliseconds(report->answer_ns);
  told.wait_milliseconds = text_milliseconds(report->wait_ns);
}

}  // namespace

TextRecord::TextRecord(const TextTask& task) : options_(task.options) {
  for (const auto& [id, bias] : task.sampling.biases)
    biases_.push_back({id, bias});
  for (const std::string& stop : task.stops)
    stops_.push_back(view_of(stop));
  sampling_ = sampling_record(task.sampling);
  sampling_.biases = biases_.data();
  sampling_.bias_count = static_cast<std::uint32_t>(biases_.size());
  record_.struct_size = sizeof record_;
  record_.max_tokens = task.max_tokens;
  record_.messages = c_text(task.messages);
  record_.prompt = view_of(task.prompt);
  record_.tools = c_text(task.tools);
  record_.response_format = c_text(task.response_format);
  record_.template_variables = c_text(task.template_variables);
  record_.sampling = &sampling_;
  record_.stops = stops_.data();
  record_.stop_count = static_cast<std::uint32_t>(stops_.size());
  record_.window = task.window;
  record_.overflow = task.shift ? RH_OVERFLOW_SHIFT : RH_OVERFLOW_ERROR;
  record_.keep_tokens = task.keep_tokens;
  record_.tokens = task.tokens ? 1 : 0;
  record_.top_logprobs = task.top_logprobs;
  record_.options = options_.list();
}

Message work_text(LoadedEngine& engine, const Message& request, CallContext& call) {
  const TextTask task = text_task_of(request);
  const TextRecord record(task);
  Writing writing{call};
  const rh_text_sink sink{sizeof sink, 0, &writing, on_text_cancelled, on_prompt, on_piece, on_report};
  run_call(call, "text", [&] { write_text(engine.model(), record.get(), sink); });
  writing.report.peak_memory_bytes = peak_memory_bytes();
  return {encode(writing.report)};
}

Message work_render(LoadedEngine& engine, const Message& request, CallContext& call) {
  const TextTask task = text_task_of(request);
  const TextRecord record(task);
  Message answer;
  const auto take = [](void* context, rh_text_view text, const std::int32_t* ids, std::uint64_t count) {
    Message& message = *static_cast<Message*>(context);
    message.json = fmt::format("{}", text.bytes);
    message.payload.resize(text.bytes + count * sizeof(std::int32_t));
    if (text.bytes > 0) std::memcpy(message.payload.data(), text.text, text.bytes);
    if (count > 0) std::memcpy(message.payload.data() + text.bytes, ids, count * sizeof(std::int32_t));
  };
  const rh_prompt_sink sink{sizeof sink, 0, &answer, take};
  run_call(call, "render", [&] { render_prompt(engine.model(), record.get(), sink); });
  return answer;
}

}  // namespace roundhouse::host
