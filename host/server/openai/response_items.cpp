// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/response_items.h"

#include "host/server/openai/text_json.h"

namespace roundhouse::host::openai {
namespace {

using Json = nlohmann::ordered_json;

Json text_part(const std::string& text) {
  return {
      {"type", "output_text"}, {"text", text}, {"annotations", Json::array()}, {"logprobs", Json::array()}};
}

Json summary_part(const std::string& text) {
  return {{"type", "summary_text"}, {"text", text}};
}

}  // namespace

void ResponseItems::tell(const char* type, Json event) {
  event["output_index"] = output_.size();
  tell_(type, std::move(event));
}

// Of a part of the open item, of which there is one.
void ResponseItems::tell_part(const char* type, Json event) {
  event["item_id"] = item_.at("id");
  event[channel_ == Channel::reasoning ? "summary_index" : "content_index"] = 0;
  tell(type, std::move(event));
}

void ResponseItems::begin(Channel channel, const TextPiece& piece) {
  end(true);
  channel_ = channel;
  text_.clear();
  if (channel == Channel::answer) {
    item_ = {{"id", fresh_name("msg_")},
             {"type", "message"},
             {"status", "in_progress"},
             {"role", "assistant"},
             {"content", Json::array()}};
  } else if (channel == Channel::reasoning) {
    item_ = {{"id", fresh_name("rs_")}, {"type", "reasoning"}, {"summary", Json::array()}};
  } else {
    item_ = {{"id", fresh_name("fc_")},
             {"type", "function_call"},
             {"status", "in_progress"},
             {"call_id", fresh_name("call_")},
             {"name", piece.tool_name.value_or("")},
             {"arguments", ""}};
  }
  tell("response.output_item.added", {{"item", item_}});
  if (channel == Channel::answer) tell_part("response.content_part.added", {{"part", text_part("")}});
  if (channel == Channel::reasoning)
    tell_part("response.reasoning_summary_part.added", {{"part", summary_part("")}});
}

void ResponseItems::add(const TextPiece& piece) {
  if (piece.channel == Channel::reasoning) reasoning_tokens_ += piece.tokens.size();
  if (piece.text.empty() && !piece.tool_name) return;
  if (channel_ != piece.channel || piece.tool_name) begin(piece.channel, piece);
  text_ += piece.text;
  if (piece.text.empty()) return;
  if (piece.channel == Channel::answer) {
    tell_part("response.output_text.delta", {{"delta", piece.text}, {"logprobs", Json::array()}});
  } else if (piece.channel == Channel::reasoning) {
    tell_part("response.reasoning_summary_text.delta", {{"delta", piece.text}});
  } else {
    tell("response.function_call_arguments.delta", {{"item_id", item_.at("id")}, {"delta", piece.text}});
  }
}

void ResponseItems::end(bool complete) {
  if (!channel_) return;
  const char* status = complete ? "completed" : "incomplete";
  if (channel_ == Channel::answer) {
    tell_part("response.output_text.done", {{"text", text_}, {"logprobs", Json::array()}});
    tell_part("response.content_part.done", {{"part", text_part(text_)}});
    item_["content"].push_back(text_part(text_));
    item_["status"] = status;
  } else if (channel_ == Channel::reasoning) {
    tell_part("response.reasoning_summary_text.done", {{"text", text_}});
    tell_part("response.reasoning_summary_part.done", {{"part", summary_part(text_)}});
    item_["summary"].push_back(summary_part(text_));
  } else {
    item_["arguments"] = text_;
    item_["status"] = status;
    tell("response.function_call_arguments.done",
         {{"item_id", item_.at("id")}, {"name", item_.at("name")}, {"arguments", text_}});
  }
  tell("response.output_item.done", {{"item", item_}});
  channel_.reset();
  output_.push_back(std::move(item_));
}

Json ResponseItems::message() const {
  Json message{{"role", "assistant"}, {"content", ""}};
  std::string content;
  for (const Json& item : output_) {
    const std::string type = item.at("type");
    if (type == "message") content += item.at("content").at(0).at("text").get<std::string>();
    if (type != "function_call") continue;
    message["tool_calls"].push_back(
        {{"id", item.at("call_id")},
         {"type", "function"},
         {"function", {{"name", item.at("name")}, {"arguments", item.at("arguments")}}}});
  }
  message["content"] = content;
  return message;
}

}  // namespace roundhouse::host::openai
