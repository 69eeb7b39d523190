// SPDX-License-Identifier: Apache-2.0
#include "host/server/messages.h"

#include <fmt/format.h>

#include "host/text/json_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

std::string part_text(const nlohmann::json& part, const std::string& place) {
  if (!part.is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
  const JsonFields fields(part, place);
  const std::string type = fields.text("type").value_or("");
  if (type == "text" || type == "input_text" || type == "output_text") {
    const auto text = fields.text("text");
    if (!text) fields.refuse("text", "is missing, expected a string");
    return *text;
  }
  if (type == "refusal") return fields.text("refusal").value_or("");
  if (type.empty()) fields.refuse("type", "is missing, expected text");
  throw Error(RH_CAPABILITY_UNSUPPORTED,
              fmt::format("{}: is of type '{}', and no engine reads anything but text", place, type));
}

OrderedJson message_json(const nlohmann::json& message, const OrderedJson& ordered,
                         const std::string& place) {
  if (!message.is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
  const JsonFields fields(message, place);
  const auto role = fields.word("role", {"system", "developer", "user", "assistant", "tool", "function"});
  if (!role) fields.refuse("role", "is missing, expected system, user, assistant or tool");
  OrderedJson json;
  json["role"] = *role == "developer" ? "system" : *role == "function" ? "tool" : *role;
  json["content"] = message.contains("content") ? content_text(message["content"], place + ".content") : "";
  for (const char* field : {"name", "tool_call_id", "reasoning_content"})
    if (const auto text = fields.text(field)) json[field] = *text;
  const auto calls = fields.list("tool_calls");
  if (!calls || calls->empty()) return json;
  for (const nlohmann::json& call : *calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object())
      throw Error(RH_INVALID_ARGUMENT, place + ".tool_calls: is not a list of calls of functions");
  }
  json["tool_calls"] = ordered.at("tool_calls");
  return json;
}

}  // namespace

std::string content_text(const nlohmann::json& content, const std::string& place) {
  if (content.is_string()) return content.get<std::string>();
  if (content.is_null()) return "";
  if (!content.is_array()) throw Error(RH_INVALID_ARGUMENT, place + ": is not a string, nor a list of parts");
  std::string text;
  for (std::size_t i = 0; i < content.size(); ++i)
    text += part_text(content[i], fmt::format("{}[{}]", place, i));
  return text;
}

OrderedJson ordered_body(const http::Exchange& exchange) {
  return OrderedJson::parse(exchange.request().body);
}

std::string openai_messages(const JsonFields& fields, const OrderedJson& body) {
  const auto messages = fields.list("messages");
  if (!messages || messages->empty() || !body.at("messages").is_array())
    fields.refuse("messages", "is not a list of one or more");
  OrderedJson list = OrderedJson::array();
  for (std::size_t i = 0; i < messages->size(); ++i)
    list.push_back(message_json((*messages)[i], body.at("messages").at(i), fmt::format("messages[{}]", i)));
  return json_text(list);
}

std::optional<std::string> tools_field(const JsonFields& fields, const OrderedJson& body) {
  const auto tools = fields.list("tools");
  if (!tools || tools->empty()) return std::nullopt;
  if (!body.at("tools").is_array()) fields.refuse("tools", "is not a list");
  for (std::size_t i = 0; i < tools->size(); ++i) {
    const nlohmann::json& tool = (*tools)[i];
    const bool sound = tool.is_object() && tool.contains("function") && tool["function"].is_object() &&
                       tool["function"].contains("name") && tool["function"]["name"].is_string();
    if (!sound) throw Error(RH_INVALID_ARGUMENT, fmt::format("tools[{}]: is not a function with a name", i));
  }
  return json_text(body.at("tools"));
}

}  // namespace roundhouse::host
