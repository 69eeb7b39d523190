// SPDX-License-Identifier: Apache-2.0
#include "host/server/anthropic/message_request.h"

#include <fmt/format.h>

#include "host/server/openai/chat_request.h"
#include "host/server/request_fields.h"
#include "host/text/json_text.h"

namespace roundhouse::host::anthropic {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;

// One message of theirs may be several of a template's: results of tools are messages of their own, and come
// before what the user says beside them.
class MessageReader {
 public:
  MessageReader(std::string role, std::string place) : role_(std::move(role)), place_(std::move(place)) {}

  void read(const nlohmann::json& content, const OrderedJson& ordered) {
    if (content.is_string()) {
      text_ = content.get<std::string>();
      return;
    }
    if (!content.is_array())
      throw Error(RH_INVALID_ARGUMENT, place_ + ": is not a string, nor a list of blocks");
    for (std::size_t i = 0; i < content.size(); ++i)
      read_block(content[i], ordered[i], fmt::format("{}[{}]", place_, i));
  }

  void give(OrderedJson& messages) {
    for (OrderedJson& result : results_)
      messages.push_back(std::move(result));
    if (text_.empty() && calls_.empty() && !results_.empty()) return;
    OrderedJson message{{"role", role_}, {"content", text_}};
    if (!thinking_.empty()) message["reasoning_content"] = thinking_;
    if (!calls_.empty()) message["tool_calls"] = std::move(calls_);
    messages.push_back(std::move(message));
  }

 private:
  void read_block(const nlohmann::json& block, const OrderedJson& ordered, const std::string& place) {
    if (!block.is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
    const JsonFields fields(block, place);
    const std::string type = fields.text("type").value_or("");
    if (type == "text") {
      text_ += fields.text("text").value_or("");
    } else if (type == "thinking") {
      thinking_ += fields.text("thinking").value_or("");
    } else if (type == "tool_use") {
      read_call(fields, ordered);
    } else if (type == "tool_result") {
      read_result(fields, place);
    } else if (type.empty()) {
      fields.refuse("type", "is missing, expected text, tool_use or tool_result");
    } else if (type != "redacted_thinking") {
      throw Error(RH_CAPABILITY_UNSUPPORTED,
                  fmt::format("{}: is of type '{}', and no engine reads anything but text", place, type));
    }
  }

  void read_call(const JsonFields& fields, const OrderedJson& ordered) {
    const auto name = fields.text("name");
    if (!name) fields.refuse("name", "is missing, expected that of a tool");
    OrderedJson input = fields.object("input") ? ordered.at("input") : OrderedJson::object();
    calls_.push_back({{"id", fields.text("id").value_or("")},
                      {"type", "function"},
                      {"function", {{"name", *name}, {"arguments", std::move(input)}}}});
  }

  void read_result(const JsonFields& fields, const std::string& place) {
    const nlohmann::json& block = fields.value();
    results_.push_back(
        {{"role", "tool"},
         {"content", content_text(block.value("content", nlohmann::json()), place + ".content")},
         {"tool_call_id", fields.text("tool_use_id").value_or("")}});
  }

  const std::string role_, place_;
  std::string text_, thinking_;
  OrderedJson calls_ = OrderedJson::array();
  std::vector<OrderedJson> results_;
};

std::string messages_of(const JsonFields& fields, const OrderedJson& body) {
  OrderedJson messages = OrderedJson::array();
  if (fields.has("system"))
    messages.push_back(
        {{"role", "system"}, {"content", content_text(fields.value().at("system"), "system")}});
  const auto list = fields.list("messages");
  if (!list || list->empty() || !body.at("messages").is_array())
    fields.refuse("messages", "is not a list of one or more");
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string place = fmt::format("messages[{}]", i);
    const nlohmann::json& message = (*list)[i];
    if (!message.is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
    const JsonFields one(message, place);
    const auto role = one.word("role", {"user", "assistant", "system"});
    if (!role) one.refuse("role", "is missing, expected user or assistant");
    if (!message.contains("content")) one.refuse("content", "is missing, expected a string or blocks");
    MessageReader reader(*role, place + ".content");
    reader.read(message["content"], body.at("messages").at(i).at("content"));
    reader.give(messages);
  }
  return json_text(messages);
}

// Whether tools are shown to the model.
bool takes_tools(const JsonFields& fields) {
  const auto choice = fields.object("tool_choice");
  if (!choice) return true;
  const auto type = choice->word("type", {"auto", "any", "tool", "none"}).value_or("auto");
  if (type == "none") return false;
  if (type == "auto") return true;
  throw Error(RH_CAPABILITY_UNSUPPORTED, "tool_choice: no engine forces a call, expected auto or none");
}

std::optional<std::string> tools_of(const JsonFields& fields, const OrderedJson& body) {
  const auto tools = fields.list("tools");
  if (!tools || tools->empty() || !takes_tools(fields)) return std::nullopt;
  if (!body.at("tools").is_array()) fields.refuse("tools", "is not a list");
  OrderedJson list = OrderedJson::array();
  for (std::size_t i = 0; i < tools->size(); ++i) {
    const std::string place = fmt::format("tools[{}]", i);
    if (!(*tools)[i].is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
    const JsonFields tool((*tools)[i], place);
    const auto name = tool.text("name");
    if (!name) tool.refuse("name", "is missing, expected a string");
    if (!tool.object("input_schema"))
      throw Error(RH_CAPABILITY_UNSUPPORTED,
                  fmt::format("{}: '{}' has no input_schema, and tools that a server runs are not here",
                              place, *name));
    OrderedJson function{{"name", *name}};
    if (const auto description = tool.text("description")) function["description"] = *description;
    function["parameters"] = body.at("tools").at(i).at("input_schema");
    list.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return json_text(list);
}

void take_thinking(const JsonFields& fields, TextRequest& request) {
  const auto thinking = fields.object("thinking");
  const bool on =
      thinking && thinking->word("type", {"enabled", "disabled", "adaptive"}).value_or("") != "disabled";
  request.template_variables = json_text(OrderedJson{{"enable_thinking", on}});
}

void take_stops(const JsonFields& fields, TextRequest& request) {
  const auto list = fields.list("stop_sequences");
  if (!list) return;
  request.stops.emplace();
  for (const nlohmann::json& stop : *list) {
    if (!stop.is_string()) fields.refuse("stop_sequences", "is not a list of strings");
    request.stops->push_back(stop.get<std::string>());
  }
}

}  // namespace

MessageOrder read_message_order(const JsonFields& fields, const OrderedJson& body, bool counts) {
  MessageOrder order;
  TextRequest& request = order.request;
  openai::take_choice(fields, request);
  request.messages = messages_of(fields, body);
  request.tools = tools_of(fields, body);
  request.max_tokens = fields.integer("max_tokens", 1, kMostTokens);
  if (!request.max_tokens && !counts) fields.refuse("max_tokens", "is missing, expected a number");
  request.temperature = fields.number("temperature", 0, 1);
  request.top_p = fields.number("top_p");
  request.top_k = fields.integer("top_k");
  request.min_p = fields.number("min_p");
  request.seed = fields.integer("seed");
  take_stops(fields, request);
  take_thinking(fields, request);
  order.keep_alive = keep_alive_field(fields);
  order.stream = fields.boolean("stream", false);
  return order;
}

}  // namespace roundhouse::host::anthropic
