// SPDX-License-Identifier: Apache-2.0
#include "host/server/anthropic/message_answer.h"

#include <utility>

#include "host/server/pool_request.h"
#include "host/text/json_text.h"

namespace roundhouse::host::anthropic {
namespace {

using OrderedJson = nlohmann::ordered_json;

const char* stop_reason(const TextReport& report) {
  if (report.finish == Finish::tool_calls) return "tool_use";
  if (report.finish == Finish::length) return "max_tokens";
  return report.stop ? "stop_sequence" : "end_turn";
}

OrderedJson stop_sequence(const GeneratedText& text) {
  const auto stop = text.answer.run.text.stop;
  const auto& stops = text.plan.job.stops;
  return stop && *stop < stops.size() ? OrderedJson(stops[*stop]) : OrderedJson();
}

// What was read from an earlier request's is not among input_tokens.
OrderedJson usage_json(const TextReport& report) {
  return {{"input_tokens", report.prompt_tokens - report.cached_tokens},
          {"cache_creation_input_tokens", 0},
          {"cache_read_input_tokens", report.cached_tokens},
          {"output_tokens", report.answer_tokens}};
}

OrderedJson input_json(const std::string& arguments) {
  OrderedJson input = OrderedJson::parse(arguments, nullptr, false);
  return input.is_object() ? input : OrderedJson::object();
}

}  // namespace

MessageAnswer::Json MessageAnswer::message(Json content) const {
  return {{"id", id_},
          {"type", "message"},
          {"role", "assistant"},
          {"model", model_},
          {"content", std::move(content)},
          {"stop_reason", nullptr},
          {"stop_sequence", nullptr}};
}

void MessageAnswer::write(const char* type, Json json) {
  Json event{{"type", type}};
  event.update(json);
  if (!stream_->write("event: " + std::string(type) + "\ndata: " + json_text(event) + "\n\n"))
    throw Error(RH_CANCELLED, "the client left");
}

void MessageAnswer::begin(const TextPlan& plan) {
  model_ = answering_model(plan);
  tell_placement(exchange_, plan);
  if (!order_.stream) return;
  stream_ = &exchange_.begin(200, http::kEventStream);
  Json empty = message(Json::array());
  empty["usage"] = usage_json({});
  write("message_start", {{"message", std::move(empty)}});
}

void MessageAnswer::begin_block(Channel channel, Json block) {
  end_block();
  block_ = channel;
  write("content_block_start", {{"index", blocks_}, {"content_block", std::move(block)}});
}

void MessageAnswer::end_block() {
  if (!block_) return;
  block_.reset();
  write("content_block_stop", {{"index", blocks_++}});
}

void MessageAnswer::on_piece(const TextPiece& piece) {
  Json delta;
  if (piece.channel == Channel::tool_call) {
    if (piece.tool_name) {
      begin_block(piece.channel, {{"type", "tool_use"},
                                  {"id", openai::fresh_name("toolu_")},
                                  {"name", *piece.tool_name},
                                  {"input", Json::object()}});
    }
    delta = {{"type", "input_json_delta"}, {"partial_json", piece.text}};
  } else if (piece.channel == Channel::reasoning) {
    if (block_ != piece.channel)
      begin_block(piece.channel, {{"type", "thinking"}, {"thinking", ""}, {"signature", ""}});
    delta = {{"type", "thinking_delta"}, {"thinking", piece.text}};
  } else {
    if (piece.text.empty()) return;
    if (block_ != piece.channel) begin_block(piece.channel, {{"type", "text"}, {"text", ""}});
    delta = {{"type", "text_delta"}, {"text", piece.text}};
  }
  if (!piece.text.empty()) write("content_block_delta", {{"index", blocks_}, {"delta", std::move(delta)}});
}

MessageAnswer::Json MessageAnswer::content_of(const TextAnswer& answer) const {
  Json content = Json::array();
  if (!answer.reasoning.empty())
    content.push_back({{"type", "thinking"}, {"thinking", answer.reasoning}, {"signature", ""}});
  if (!answer.answer.empty()) content.push_back({{"type", "text"}, {"text", answer.answer}});
  for (const ToolCall& call : answer.tool_calls) {
    content.push_back({{"type", "tool_use"},
                       {"id", openai::fresh_name("toolu_")},
                       {"name", call.name},
                       {"input", input_json(call.arguments)}});
  }
  return content;
}

void MessageAnswer::send_whole(const GeneratedText& text) {
  Json json = message(content_of(text.answer));
  json["stop_reason"] = stop_reason(text.answer.run.text);
  json["stop_sequence"] = stop_sequence(text);
  json["usage"] = usage_json(text.answer.run.text);
  if (!text.plan.notes.empty()) json["notes"] = text.plan.notes;
  exchange_.send(200, http::kJson, json_text(json));
}

void MessageAnswer::end_stream(const GeneratedText& text) {
  end_block();
  const TextReport& report = text.answer.run.text;
  write("message_delta",
        {{"delta", {{"stop_reason", stop_reason(report)}, {"stop_sequence", stop_sequence(text)}}},
         {"usage", usage_json(report)}});
  write("message_stop", Json::object());
}

void MessageAnswer::run() {
  TextListener listener;
  listener.begun = [this](const TextPlan& plan, const LeaseReport&) { begin(plan); };
  if (order_.stream) listener.piece = [this](const TextPiece& piece) { on_piece(piece); };
  const GeneratedText text = generate_text(services_, exchange_, order_.request, order_.keep_alive, listener);
  if (order_.stream) return end_stream(text);
  send_whole(text);
}

}  // namespace roundhouse::host::anthropic
