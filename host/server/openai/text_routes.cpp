// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/text_routes.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/server/json_fields.h"
#include "host/server/openai/failure.h"
#include "host/server/request_fields.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::json;

constexpr http::RouteOptions kConversations{std::uint64_t{64} << 20, false, false};
constexpr std::int64_t kMostTokens = std::int64_t{1} << 31;

void check_sampling(const JsonFields& fields) {
  fields.number("temperature", 0, 2);
  fields.number("top_p", 0, 1);
  fields.number("presence_penalty", -2, 2);
  fields.number("frequency_penalty", -2, 2);
  fields.integer("n", 1, 128);
  fields.integer("seed");
  fields.integer("max_tokens", 1, kMostTokens);
  fields.integer("max_completion_tokens", 1, kMostTokens);
  fields.boolean("stream", false);
  const auto stops = fields.list("stop");
  const bool texts =
      !stops || std::all_of(stops->begin(), stops->end(), [](const json& stop) { return stop.is_string(); });
  if (!texts || (stops && stops->size() > 4))
    fields.refuse("stop", "is not a string, nor a list of up to four");
}

bool is_content(const json& content) {
  if (content.is_string() || content.is_null()) return true;
  return content.is_array() && !content.empty() &&
         std::all_of(content.begin(), content.end(), [](const json& part) {
           return part.is_object() && part.contains("type") && part["type"].is_string();
         });
}

void check_messages(const JsonFields& fields) {
  const auto messages = fields.list("messages");
  if (!messages || messages->empty()) fields.refuse("messages", "is empty, expected one or more");
  std::size_t index = 0;
  for (const json& message : *messages) {
    const std::string name = fmt::format("messages[{}]", index++);
    if (!message.is_object()) throw Error(RH_INVALID_ARGUMENT, name + ": is not an object");
    const JsonFields one(message, name);
    if (!one.word("role", {"system", "developer", "user", "assistant", "tool", "function"}))
      one.refuse("role", "is missing, expected system, user or assistant");
    if (message.contains("content") && !is_content(message["content"]))
      one.refuse("content", "is not a string, nor a list of parts with a type");
  }
}

// A text, texts, tokens, or lists of tokens.
void check_input(const JsonFields& fields, const char* field) {
  const auto input = fields.list(field);
  if (!input || input->empty()) fields.refuse(field, "is empty, expected a text or several");
  const auto is_token = [](const json& value) { return value.is_number_integer(); };
  const auto fits = [&](const json& value) {
    return value.is_string() || is_token(value) ||
           (value.is_array() && !value.empty() && std::all_of(value.begin(), value.end(), is_token));
  };
  if (!std::all_of(input->begin(), input->end(), fits))
    fields.refuse(field, "is not a string, nor a list of strings or tokens");
}

// Throws unless there is such a model, and then because no engine can do the task with it.
[[noreturn]] void refuse(const Services& services, const JsonFields& fields, const std::string& task) {
  if (!fields.has("model")) fields.refuse("model", "is missing, expected a name that GET /v1/models lists");
  GenerateRequest request;
  request.engine = fields.text("engine");
  take_model_field(fields, request);
  RouteRequest wanted;
  wanted.task = task;
  wanted.engine = request.engine;
  if (request.model) wanted.architecture = services.models().resolve(*request.model).architecture;
  const auto registry = services.registry.snapshot();
  const Decision decision = route(wanted, registry->records());
  if (decision.error) throw Error(*decision.error);
  throw Error(RH_CAPABILITY_UNSUPPORTED,
              "engine '" + decision.engine + "' does " + task + ", but this version has no way to ask it");
}

void chat(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  check_messages(fields);
  check_sampling(fields);
  refuse(services, fields, "chat");
}

void complete(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  check_input(fields, "prompt");
  check_sampling(fields);
  refuse(services, fields, "text-generation");
}

void embed(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  check_input(fields, "input");
  fields.word("encoding_format", {"float", "base64"});
  fields.integer("dimensions", 1, 1 << 20);
  refuse(services, fields, "embedding");
}

}  // namespace

void add_text_routes(http::Router& router, const Services& services) {
  const auto add = [&](const char* path, void (*handler)(const Services&, http::Exchange&)) {
    router.add(
        "POST", path, kConversations,
        with_retry_advice([&services, handler](http::Exchange& exchange) { handler(services, exchange); }));
  };
  add("/v1/chat/completions", chat);
  add("/v1/completions", complete);
  add("/v1/embeddings", embed);
}

}  // namespace roundhouse::host::openai
