// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/chat_request.h"

#include <algorithm>
#include <charconv>

#include "host/server/model_selector.h"
#include "host/server/request_fields.h"
#include "host/text/json_text.h"

namespace roundhouse::host::openai {
namespace {

constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;

std::vector<std::string> stops_of(const JsonFields& fields) {
  std::vector<std::string> stops;
  const auto list = fields.list("stop");
  const bool texts = !list || std::all_of(list->begin(), list->end(),
                                          [](const nlohmann::json& stop) { return stop.is_string(); });
  if (!texts || (list && list->size() > 16)) fields.refuse("stop", "is not a string, nor a list of up to 16");
  if (list)
    for (const nlohmann::json& stop : *list)
      stops.push_back(stop.get<std::string>());
  return stops;
}

std::vector<std::pair<std::int32_t, float>> biases_of(const JsonFields& fields) {
  std::vector<std::pair<std::int32_t, float>> biases;
  const auto map = fields.object("logit_bias");
  if (!map) return biases;
  for (const auto& [key, value] : map->value().items()) {
    std::int32_t id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc{} || end != key.data() + key.size() || id < 0 || !value.is_number())
      fields.refuse("logit_bias", "is not a map from tokens to numbers");
    biases.emplace_back(id, value.get<float>());
  }
  return biases;
}

void take_sampling(const JsonFields& fields, TextRequest& request) {
  request.temperature = fields.number("temperature", 0, 2);
  request.top_p = fields.number("top_p", 0, 1);
  // Nothing but the likeliest token, as clients mean by it.
  if (request.top_p && *request.top_p == 0) request.temperature = 0, request.top_p.reset();
  request.presence_penalty = fields.number("presence_penalty", -2, 2);
  request.frequency_penalty = fields.number("frequency_penalty", -2, 2);
  request.top_k = fields.integer("top_k");
  request.min_p = fields.number("min_p");
  request.typical_p = fields.number("typical_p");
  request.repetition_penalty = fields.number("repetition_penalty");
  request.seed = fields.integer("seed");
  request.max_tokens = fields.integer("max_tokens", 1, kMostTokens);
  if (const auto most = fields.integer("max_completion_tokens", 1, kMostTokens)) request.max_tokens = most;
  request.window = fields.integer("window");
  if (fields.has("stop")) request.stops = stops_of(fields);
  request.biases = biases_of(fields);
}

void take_common(const JsonFields& fields, TextOrder& order) {
  take_choice(fields, order.request);
  take_sampling(fields, order.request);
  order.keep_alive = keep_alive_field(fields);
  order.answers = static_cast<std::uint32_t>(fields.integer("n", 1, 128).value_or(1));
  order.stream = fields.boolean("stream", false);
  if (const auto options = fields.object("stream_options"))
    order.usage = options->boolean("include_usage", false);
}

std::optional<std::string> response_format(const JsonFields& fields, const OrderedJson& body) {
  const auto format = fields.object("response_format");
  if (!format) return std::nullopt;
  const auto type = format->word("type", {"text", "json_object", "json_schema"});
  if (!type) format->refuse("type", "is missing, expected text, json_object or json_schema");
  if (*type == "text") return std::nullopt;
  OrderedJson json{{"type", *type}};
  if (*type == "json_object") return json_text(json);
  const auto named = format->object("json_schema");
  if (!named || !named->object("schema")) format->refuse("json_schema", "has no schema, expected an object");
  json["schema"] = body.at("response_format").at("json_schema").at("schema");
  return json_text(json);
}

// Whether tools are shown to the model.
bool takes_tools(const JsonFields& fields) {
  if (!fields.has("tool_choice")) return true;
  const nlohmann::json& choice = fields.value().at("tool_choice");
  if (choice == "none") return false;
  if (choice == "auto") return true;
  throw Error(RH_CAPABILITY_UNSUPPORTED, "tool_choice: no engine forces a call, expected auto or none");
}

std::optional<std::string> template_variables(const JsonFields& fields, const OrderedJson& body) {
  OrderedJson variables = OrderedJson::object();
  if (fields.object("chat_template_kwargs")) variables = body.at("chat_template_kwargs");
  const auto effort = fields.word("reasoning_effort", {"none", "minimal", "low", "medium", "high", "xhigh"});
  if (effort) variables["enable_thinking"] = *effort != "none";
  if (fields.has("think")) variables["enable_thinking"] = fields.boolean("think", true);
  if (variables.empty()) return std::nullopt;
  return json_text(variables);
}

}  // namespace

void take_choice(const JsonFields& fields, ModelChoice& choice) {
  choice.engine = fields.text("engine");
  choice.weights = fields.text("weights");
  const auto text = fields.text("model");
  if (!text) return;
  ModelSelector selector = parse_model_selector(*text);
  if (selector.engine && choice.engine && *selector.engine != *choice.engine)
    fields.refuse("model", "names another engine than engine: '" + *choice.engine + "'");
  choice.model = std::move(selector.model);
  if (selector.engine) choice.engine = std::move(selector.engine);
}

TextOrder read_chat_order(const JsonFields& fields, const OrderedJson& body) {
  TextOrder order;
  TextRequest& request = order.request;
  request.messages = openai_messages(fields, body);
  take_common(fields, order);
  if (takes_tools(fields)) request.tools = tools_field(fields, body);
  request.response_format = response_format(fields, body);
  request.template_variables = template_variables(fields, body);
  order.logprobs = request.tokens = fields.boolean("logprobs", false);
  request.top_logprobs = fields.integer("top_logprobs", 0, 20).value_or(0);
  if (request.top_logprobs > 0 && !request.tokens) fields.refuse("top_logprobs", "needs logprobs: true");
  return order;
}

CompletionOrder read_completion_order(const JsonFields& fields) {
  CompletionOrder completion;
  TextOrder& order = completion.order;
  const auto prompts = fields.list("prompt");
  if (!prompts || prompts->empty()) fields.refuse("prompt", "is empty, expected a text or several");
  for (const nlohmann::json& prompt : *prompts) {
    if (!prompt.is_string())
      throw Error(RH_CAPABILITY_UNSUPPORTED, "prompt: tokens are not read, expected a text or several");
    completion.prompts.push_back(prompt.get<std::string>());
  }
  if (!fields.text("suffix").value_or("").empty())
    throw Error(RH_CAPABILITY_UNSUPPORTED, "suffix: no engine fills in a middle");
  take_common(fields, order);
  if (!order.request.max_tokens) order.request.max_tokens = 16;  // the API's default
  const auto logprobs = fields.integer("logprobs", 0, 20);
  order.logprobs = order.request.tokens = logprobs.has_value();
  order.request.top_logprobs = logprobs.value_or(0);
  completion.echo = fields.boolean("echo", false);
  return completion;
}

}  // namespace roundhouse::host::openai
