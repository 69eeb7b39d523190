// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/response_request.h"

#include <fmt/format.h>

#include "host/server/openai/chat_request.h"
#include "host/server/request_fields.h"
#include "host/text/json_text.h"

namespace roundhouse::host::openai {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;

void add_call(const JsonFields& item, OrderedJson& messages) {
  const auto name = item.text("name");
  if (!name) item.refuse("name", "is missing, expected that of a function");
  OrderedJson call{{"id", item.text("call_id").value_or("")},
                   {"type", "function"},
                   {"function", {{"name", *name}, {"arguments", item.text("arguments").value_or("{}")}}}};
  // Calls of one turn belong to one message.
  if (!messages.empty() && messages.back().at("role") == "assistant") {
    messages.back()["tool_calls"].push_back(std::move(call));
    return;
  }
  messages.push_back(
      {{"role", "assistant"}, {"content", ""}, {"tool_calls", OrderedJson::array({std::move(call)})}});
}

void add_message(const JsonFields& item, const std::string& place, OrderedJson& messages) {
  const auto role = item.word("role", {"user", "assistant", "system", "developer"});
  if (!role) item.refuse("role", "is missing, expected user, assistant, system or developer");
  const nlohmann::json content = item.value().value("content", nlohmann::json());
  messages.push_back({{"role", *role == "developer" ? "system" : *role},
                      {"content", content_text(content, place + ".content")}});
}

void add_item(const nlohmann::json& value, const std::string& place, OrderedJson& messages) {
  if (!value.is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
  const JsonFields item(value, place);
  const std::string type = item.text("type").value_or("message");
  if (type == "message") return add_message(item, place, messages);
  if (type == "function_call") return add_call(item, messages);
  if (type == "reasoning") return;  // thoughts of earlier turns are not shown again
  if (type != "function_call_output")
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                fmt::format("{}: is of type '{}', which no engine reads", place, type));
  const nlohmann::json output = value.value("output", nlohmann::json());
  messages.push_back({{"role", "tool"},
                      {"content", content_text(output, place + ".output")},
                      {"tool_call_id", item.text("call_id").value_or("")}});
}

void take_input(const JsonFields& fields, const OrderedJson& body, ResponseOrder& order) {
  if (!fields.has("input")) fields.refuse("input", "is missing, expected a text or items");
  const nlohmann::json& input = fields.value().at("input");
  if (input.is_string()) {
    order.conversation.push_back({{"role", "user"}, {"content", input.get<std::string>()}});
    order.input = OrderedJson::array({{{"type", "message"}, {"role", "user"}, {"content", input}}});
    return;
  }
  if (!input.is_array() || input.empty()) fields.refuse("input", "is not a string, nor a list of items");
  order.input = body.at("input");
  for (std::size_t i = 0; i < input.size(); ++i)
    add_item(input[i], fmt::format("input[{}]", i), order.conversation);
}

std::optional<std::string> tools_of(const JsonFields& fields, const OrderedJson& body) {
  const auto tools = fields.list("tools");
  if (!tools || tools->empty()) return std::nullopt;
  if (!body.at("tools").is_array()) fields.refuse("tools", "is not a list");
  if (fields.has("tool_choice")) {
    const nlohmann::json& choice = fields.value().at("tool_choice");
    if (choice == "none") return std::nullopt;
    if (choice != "auto")
      throw Error(RH_CAPABILITY_UNSUPPORTED, "tool_choice: no engine forces a call, expected auto or none");
  }
  OrderedJson list = OrderedJson::array();
  for (std::size_t i = 0; i < tools->size(); ++i) {
    const std::string place = fmt::format("tools[{}]", i);
    if (!(*tools)[i].is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
    const JsonFields tool((*tools)[i], place);
    if (tool.text("type").value_or("") != "function")
      throw Error(RH_CAPABILITY_UNSUPPORTED, place + ": is not a function, and no tool is run here");
    const auto name = tool.text("name");
    if (!name) tool.refuse("name", "is missing, expected a string");
    OrderedJson function{{"name", *name}};
    if (const auto description = tool.text("description")) function["description"] = *description;
    if (tool.object("parameters")) function["parameters"] = body.at("tools").at(i).at("parameters");
    list.push_back({{"type", "function"}, {"function", std::move(function)}});
  }
  return json_text(list);
}

std::optional<std::string> format_of(const JsonFields& fields, const OrderedJson& body) {
  const auto text = fields.object("text");
  const auto format = text ? text->object("format") : std::nullopt;
  if (!format) return std::nullopt;
  const auto type = format->word("type", {"text", "json_object", "json_schema"}).value_or("text");
  if (type == "text") return std::nullopt;
  OrderedJson json{{"type", type}};
  if (type == "json_schema") {
    if (!format->object("schema")) format->refuse("schema", "is missing, expected an object");
    json["schema"] = body.at("text").at("format").at("schema");
  }
  return json_text(json);
}

void take_values(const JsonFields& fields, TextRequest& request) {
  take_choice(fields, request);
  request.temperature = fields.number("temperature", 0, 2);
  request.top_p = fields.number("top_p", 0, 1);
  if (request.top_p && *request.top_p == 0) request.temperature = 0, request.top_p.reset();
  request.seed = fields.integer("seed");
  request.max_tokens = fields.integer("max_output_tokens", 1, kMostTokens);
  request.shift = fields.word("truncation", {"auto", "disabled"}).value_or("disabled") == "auto";
  if (const auto reasoning = fields.object("reasoning")) {
    const auto effort = reasoning->word("effort", {"none", "minimal", "low", "medium", "high", "xhigh"});
    if (effort) request.template_variables = json_text(OrderedJson{{"enable_thinking", *effort != "none"}});
  }
}

}  // namespace

ResponseOrder read_response_order(const JsonFields& fields, const OrderedJson& body, OrderedJson earlier) {
  ResponseOrder order;
  order.conversation = std::move(earlier);
  take_input(fields, body, order);
  OrderedJson messages = order.conversation;
  const auto instructions = fields.text("instructions");
  if (instructions)
    messages.insert(messages.begin(), OrderedJson{{"role", "system"}, {"content", *instructions}});
  order.request.messages = json_text(messages);
  order.request.tools = tools_of(fields, body);
  order.request.response_format = format_of(fields, body);
  take_values(fields, order.request);
  order.request.tokens = true;  // those of reasoning are counted
  if (fields.boolean("background", false))
    throw Error(RH_CAPABILITY_UNSUPPORTED, "background: nothing runs without its client");
  order.keep_alive = keep_alive_field(fields);
  order.stream = fields.boolean("stream", false);
  order.store = fields.boolean("store", true);
  order.settings = OrderedJson::object();
  for (const char* field :
       {"instructions", "max_output_tokens", "metadata", "parallel_tool_calls", "previous_response_id",
        "reasoning", "temperature", "text", "tool_choice", "tools", "top_p", "truncation"})
    order.settings[field] = body.contains(field) ? body.at(field) : OrderedJson();
  return order;
}

}  // namespace roundhouse::host::openai
