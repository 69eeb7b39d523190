// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/text_request.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/text/json_text.h"

namespace roundhouse::host::ollama {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;

void refuse_images(const JsonFields& fields, const std::string& place) {
  const auto images = fields.list("images");
  if (images && !images->empty())
    throw Error(RH_CAPABILITY_UNSUPPORTED, place + "images: no engine reads anything but text");
}

std::vector<std::string> stops_of(const JsonFields& options) {
  std::vector<std::string> stops;
  const auto list = options.list("stop");
  if (!list) return stops;
  for (const nlohmann::json& stop : *list) {
    if (!stop.is_string()) options.refuse("stop", "is not a string, nor a list of strings");
    stops.push_back(stop.get<std::string>());
  }
  return stops;
}

void take_options(const JsonFields& options, TextRequest& request) {
  request.temperature = options.number("temperature");
  request.top_k = options.integer("top_k");
  request.top_p = options.number("top_p");
  request.min_p = options.number("min_p");
  request.typical_p = options.number("typical_p");
  request.repetition_penalty = options.number("repeat_penalty");
  request.presence_penalty = options.number("presence_penalty");
  request.frequency_penalty = options.number("frequency_penalty");
  request.repeat_last_n = options.integer("repeat_last_n");
  request.seed = options.integer("seed");
  if (options.has("stop")) request.stops = stops_of(options);
  // -1 and -2: as far as the window allows.
  const auto most = options.integer("num_predict", -2, kMostTokens);
  if (most && *most > 0) request.max_tokens = most;
  request.window = options.integer("num_ctx");
  request.keep_tokens = options.integer("num_keep").value_or(0);
  if (options.integer("mirostat", 0, 2).value_or(0) == 2) {
    request.mirostat_tau = options.number("mirostat_tau").value_or(5);
    request.mirostat_eta = options.number("mirostat_eta");
  }
}

std::optional<std::string> response_format(const JsonFields& fields, const OrderedJson& body) {
  if (!fields.has("format")) return std::nullopt;
  const OrderedJson& format = body.at("format");
  if (format == "json") return R"({"type":"json_object"})";
  if (format.is_string() && format.get<std::string>().empty()) return std::nullopt;
  if (!format.is_object()) fields.refuse("format", "is not json, nor a schema");
  return json_text(OrderedJson{{"type", "json_schema"}, {"schema", format}});
}

std::optional<std::string> template_variables(const JsonFields& fields) {
  if (!fields.has("think")) return std::nullopt;
  const nlohmann::json& think = fields.value().at("think");
  const bool on = think.is_boolean() ? think.get<bool>()
                                     : fields.word("think", {"low", "medium", "high", "max"}).has_value();
  return json_text(OrderedJson{{"enable_thinking", on}});
}

void take_common(const JsonFields& fields, const OrderedJson& body, TextRequest& request) {
  if (const auto options = fields.object("options")) take_options(*options, request);
  request.response_format = response_format(fields, body);
  request.template_variables = template_variables(fields);
  request.shift = fields.boolean("shift", true);
  request.tokens = fields.boolean("logprobs", false);
  request.top_logprobs = fields.integer("top_logprobs", 0, 20).value_or(0);
  request.weights = fields.text("weights");
}

// Arguments of calls are objects here, which templates read as well.
OrderedJson message_json(const nlohmann::json& message, const OrderedJson& ordered,
                         const std::string& place) {
  if (!message.is_object()) throw Error(RH_INVALID_ARGUMENT, place + ": is not an object");
  const JsonFields one(message, place);
  const auto role = one.word("role", {"system", "user", "assistant", "tool"});
  if (!role) one.refuse("role", "is missing, expected system, user, assistant or tool");
  refuse_images(one, place + ".");
  OrderedJson json{{"role", *role}, {"content", one.text("content").value_or("")}};
  if (const auto thinking = one.text("thinking")) json["reasoning_content"] = *thinking;
  if (const auto name = one.text("tool_name")) json["name"] = *name;
  const auto calls = one.list("tool_calls");
  if (!calls || calls->empty()) return json;
  for (const nlohmann::json& call : *calls) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object())
      throw Error(RH_INVALID_ARGUMENT, place + ".tool_calls: is not a list of calls of functions");
  }
  json["tool_calls"] = ordered.at("tool_calls");
  return json;
}

}  // namespace

TextOrder read_generate_order(const JsonFields& fields, const OrderedJson& body) {
  TextOrder order;
  TextRequest& request = order.request;
  take_common(fields, body, request);
  refuse_images(fields, "");
  for (const char* field : {"suffix", "template"}) {
    if (!fields.text(field).value_or("").empty())
      throw Error(RH_CAPABILITY_UNSUPPORTED, fmt::format("{}: cannot be given, expected none", field));
  }
  const auto context = fields.list("context");
  if (context && !context->empty())
    order.notes.emplace_back("context: is not read; /api/chat takes what was said before");
  const std::string prompt = fields.text("prompt").value_or("");
  if (fields.boolean("raw", false)) {
    request.prompt = prompt;
    return order;
  }
  OrderedJson messages = OrderedJson::array();
  if (const auto system = fields.text("system"))
    messages.push_back({{"role", "system"}, {"content", *system}});
  messages.push_back({{"role", "user"}, {"content", prompt}});
  request.messages = json_text(messages);
  return order;
}

TextOrder read_chat_order(const JsonFields& fields, const OrderedJson& body) {
  TextOrder order;
  take_common(fields, body, order.request);
  const auto messages = fields.list("messages");
  if (!messages || !body.at("messages").is_array()) fields.refuse("messages", "is not a list");
  OrderedJson list = OrderedJson::array();
  for (std::size_t i = 0; i < messages->size(); ++i)
    list.push_back(message_json((*messages)[i], body.at("messages").at(i), fmt::format("messages[{}]", i)));
  order.request.messages = json_text(list);
  order.request.tools = tools_field(fields, body);
  return order;
}

EmbedRequest read_embed_order(const JsonFields& fields, const char* input) {
  EmbedRequest request;
  const auto texts = fields.list(input);
  if (!texts || texts->empty()) fields.refuse(input, "is missing, expected a text");
  for (const nlohmann::json& text : *texts) {
    if (!text.is_string()) fields.refuse(input, "is not a string, nor a list of strings");
    request.texts.push_back(text.get<std::string>());
  }
  request.truncate = fields.boolean("truncate", true);
  request.dimensions = fields.integer("dimensions", 1, 1 << 20);
  request.weights = fields.text("weights");
  return request;
}

}  // namespace roundhouse::host::ollama
