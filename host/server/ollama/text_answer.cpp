// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/text_answer.h"

#include <utility>

#include "host/server/ollama/clock.h"
#include "host/server/pool_request.h"
#include "host/text/json_text.h"

namespace roundhouse::host::ollama {
namespace {

using OrderedJson = nlohmann::ordered_json;

std::int64_t whole_nanoseconds(double milliseconds) {
  return static_cast<std::int64_t>(milliseconds * 1e6);
}

// Arguments are an object in this dialect; what a model wrote badly stays a text.
OrderedJson call_json(const ToolCall& call) {
  OrderedJson arguments = OrderedJson::parse(call.arguments, nullptr, false);
  if (arguments.is_discarded()) arguments = call.arguments;
  return {{"function", {{"name", call.name}, {"arguments", std::move(arguments)}}}};
}

OrderedJson logprob_json(const TopToken& token) {
  OrderedJson bytes = OrderedJson::array();
  for (const char c : token.bytes)
    bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", token.bytes}, {"logprob", token.logprob}, {"bytes", std::move(bytes)}};
}

OrderedJson logprobs_json(const std::vector<TextToken>& tokens) {
  OrderedJson list = OrderedJson::array();
  for (const TextToken& token : tokens) {
    OrderedJson json = logprob_json(token);
    for (const TopToken& top : token.top)
      json["top_logprobs"].push_back(logprob_json(top));
    list.push_back(std::move(json));
  }
  return list;
}

}  // namespace

TextLines::Json TextLines::line(const std::string& answer, const std::string& reasoning, bool done) const {
  Json json{{"model", model_}, {"created_at", now_text()}};
  if (form_ == Form::generate) {
    json["response"] = answer;
    if (!reasoning.empty()) json["thinking"] = reasoning;
  } else {
    json["message"] = {{"role", "assistant"}, {"content", answer}};
    if (!reasoning.empty()) json["message"]["thinking"] = reasoning;
  }
  json["done"] = done;
  return json;
}

void TextLines::write(const Json& json) {
  if (!stream_->write(json_text(json) + "\n")) throw Error(RH_CANCELLED, "cancelled: the client has gone");
}

// A call is sent once it is whole.
void TextLines::end_call() {
  if (!call_) return;
  Json json = line("", "", false);
  Json& place = form_ == Form::chat ? json["message"] : json;
  place["tool_calls"] = Json::array({call_json(*call_)});
  call_.reset();
  write(json);
}

void TextLines::on_piece(const TextPiece& piece) {
  if (piece.channel == Channel::tool_call) {
    if (piece.tool_name) {
      end_call();
      call_ = ToolCall{*piece.tool_name, ""};
    }
    if (call_) call_->arguments += piece.text;
    return;
  }
  end_call();
  const bool answers = piece.channel == Channel::answer;
  Json json = line(answers ? piece.text : "", answers ? "" : piece.text, false);
  if (!piece.tokens.empty()) json["logprobs"] = logprobs_json(piece.tokens);
  if (!piece.text.empty() || !piece.tokens.empty()) write(json);
}

TextLines::Json TextLines::last_line(const GeneratedText& text, std::vector<std::string> notes) const {
  const TextAnswer& answer = text.answer;
  Json json = wants_stream_ ? line("", "", true) : line(answer.answer, answer.reasoning, true);
  if (!wants_stream_) {
    Json& place = form_ == Form::chat ? json["message"] : json;
    for (const ToolCall& call : answer.tool_calls)
      place["tool_calls"].push_back(call_json(call));
    if (!answer.tokens.empty()) json["logprobs"] = logprobs_json(answer.tokens);
  }
  const TextReport& report = answer.run.text;
  json["done_reason"] = report.finish == Finish::length ? "length" : "stop";
  json["total_duration"] = nanoseconds_since(begin_);
  json["load_duration"] = whole_nanoseconds(load_milliseconds_);
  json["prompt_eval_count"] = report.prompt_tokens;
  json["prompt_eval_duration"] = whole_nanoseconds(report.prompt_milliseconds);
  json["eval_count"] = report.answer_tokens;
  json["eval_duration"] = whole_nanoseconds(report.answer_milliseconds);
  notes.insert(notes.end(), text.plan.notes.begin(), text.plan.notes.end());
  if (!notes.empty()) json["notes"] = notes;
  return json;
}

void TextLines::run(const TextRequest& request, std::optional<KeepAlive> keep_alive,
                    std::vector<std::string> notes) {
  TextListener listener;
  listener.begun = [this](const TextPlan& plan, const LeaseReport& lease) {
    load_milliseconds_ = lease.waiting_milliseconds + lease.loading_milliseconds;
    tell_placement(exchange_, plan);
    if (wants_stream_) stream_ = &exchange_.begin(200, http::kNdjson);
  };
  if (wants_stream_) listener.piece = [this](const TextPiece& piece) { on_piece(piece); };
  const GeneratedText text = generate_text(services_, exchange_, request, keep_alive, listener);
  const Json last = last_line(text, std::move(notes));
  if (!wants_stream_) return exchange_.send(200, http::kJson, json_text(last) + "\n");
  end_call();
  write(last);
}

}  // namespace roundhouse::host::ollama
