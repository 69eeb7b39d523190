// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/chat_variables.h"

#include <fmt/format.h>

#include <utility>

#include "engines/tensor/error.h"
#include "engines/weights/json_file.h"

namespace engines::decoding {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& field, const std::string& what) {
  throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: {}", field, what));
}

Json parsed(const std::string& text, const std::string& field) {
  try {
    return parse_json<Json>(text, field);
  } catch (const Error& error) {
    throw Error(RH_INVALID_ARGUMENT, error.what());
  }
}

// Clients send the arguments as text, templates iterate over them. What is no object stays as it is.
void open_arguments(Json& message) {
  if (!message.contains("tool_calls") || !message["tool_calls"].is_array()) return;
  for (Json& call : message["tool_calls"]) {
    if (!call.is_object() || !call.contains("function") || !call["function"].is_object()) continue;
    Json& function = call["function"];
    if (!function.contains("arguments") || !function["arguments"].is_string()) continue;
    try {
      Json arguments = parse_json<Json>(function["arguments"].get<std::string>(), "arguments");
      if (arguments.is_object()) function["arguments"] = std::move(arguments);
    } catch (const Error&) {
      continue;
    }
  }
}

// A list of parts that are texts is their text, which every template understands.
void join_parts(Json& message, const std::string& field) {
  if (!message.contains("content") || !message["content"].is_array()) return;
  std::string text;
  for (const Json& part : message["content"]) {
    const bool typed = part.is_object() && part.contains("type") && part["type"].is_string();
    if (!typed) refuse(field + ".content", "has a part without a type");
    if (part["type"] != "text")
      throw Error(RH_CAPABILITY_UNSUPPORTED,
                  fmt::format("{}.content: the model reads texts, not parts of type {}", field,
                              in_quotes(part["type"].get<std::string>())));
    if (!part.contains("text") || !part["text"].is_string())
      refuse(field + ".content", "has a part without a text");
    text += part["text"].get<std::string>();
  }
  message["content"] = std::move(text);
}

Json checked_messages(const std::string& text) {
  Json messages = parsed(text, "messages");
  if (!messages.is_array()) refuse("messages", "is not an array");
  if (messages.empty()) refuse("messages", "is empty");
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Json& message = messages[i];
    const std::string field = fmt::format("messages[{}]", i);
    if (!message.is_object()) refuse(field, "is not an object");
    if (!message.contains("role") || !message["role"].is_string()) refuse(field + ".role", "is not a string");
    join_parts(message, field);
    open_arguments(message);
  }
  return messages;
}

}  // namespace

Json chat_variables(const TextRequest& request) {
  Json variables = Json::object();
  variables["add_generation_prompt"] = true;
  if (!request.template_variables.empty()) {
    const Json given = parsed(request.template_variables, "template_variables");
    if (!given.is_object()) refuse("template_variables", "is not an object");
    variables.update(given);
  }
  variables["messages"] = checked_messages(request.messages.value_or(""));
  if (!request.tools.empty()) {
    Json tools = parsed(request.tools, "tools");
    if (!tools.is_array()) refuse("tools", "is not an array");
    if (!tools.empty()) variables["tools"] = std::move(tools);
  }
  return variables;
}

std::string render_template(const ChatTemplate& chat, const Json& variables) {
  try {
    return chat.render(variables);
  } catch (const Error& error) {
    if (error.code() != RH_MODEL_INVALID) throw;
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("messages: the model's template refuses them: {}", error.what()));
  }
}

}  // namespace engines::decoding
