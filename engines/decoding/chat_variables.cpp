// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/chat_variables.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

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

Json given_variables(const TextRequest& request) {
  if (request.template_variables.empty()) return Json::object();
  Json given = parsed(request.template_variables, "template_variables");
  if (!given.is_object()) refuse("template_variables", "is not an object");
  return given;
}

bool is(const Json& variables, const char* name, bool value) {
  const auto place = variables.find(name);
  return place != variables.end() && place->is_boolean() && place->get<bool>() == value;
}

Json given_tools(const TextRequest& request) {
  if (request.tools.empty()) return Json::array();
  Json tools = parsed(request.tools, "tools");
  if (!tools.is_array()) refuse("tools", "is not an array");
  for (const Json& tool : tools)
    if (!tool.is_object()) refuse("tools", "has an entry that is not an object");
  return tools;
}

std::string render(const ChatTemplate& chat, const Json& variables) {
  try {
    return chat.render(variables);
  } catch (const Error& error) {
    if (error.code() != RH_MODEL_INVALID) throw;
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("messages: the model's template refuses them: {}", error.what()));
  }
}

// A template that drops the thoughts of earlier answers is given a stand-in for each answer that has some;
// what it stands for comes in afterwards.
using StandIns = std::vector<std::pair<std::string, std::string>>;

StandIns hide_thoughts(Json& messages, const ChatFormat& format) {
  StandIns hidden;
  for (Json& message : messages) {
    const auto thought = message.find("reasoning_content");
    if (message["role"] != "assistant" || thought == message.end() || !thought->is_string()) continue;
    const std::string content = message.contains("content") && message["content"].is_string()
                                    ? message["content"].get<std::string>()
                                    : std::string();
    // Private use characters: no template looks for them, and no message has this many.
    hidden.emplace_back(fmt::format("\uE0F0\uE0F1{}\uE0F2\uE0F0", hidden.size()),
                        fmt::format("{}\n{}\n{}\n\n{}", format.think_open, thought->get<std::string>(),
                                    format.think_close, content));
    message["content"] = hidden.back().first;
    message.erase("reasoning_content");
  }
  return hidden;
}

}  // namespace

std::string render_messages(const ChatTemplate& chat, const ChatFormat& format, const TextRequest& request) {
  Json variables = given_variables(request);
  if (!variables.contains("add_generation_prompt")) variables["add_generation_prompt"] = true;
  variables["messages"] = checked_messages(request.messages.value_or(""));
  if (Json tools = given_tools(request); !tools.empty()) variables["tools"] = std::move(tools);
  const bool knows = chat.source().find("preserve_thinking") != std::string::npos;
  if (!is(variables, "preserve_thinking", true) || knows || !format.thinks()) return render(chat, variables);
  const StandIns hidden = hide_thoughts(variables["messages"], format);
  std::string text = render(chat, variables);
  for (const auto& [stand_in, meant] : hidden) {
    const std::size_t at = text.find(stand_in);
    if (at != std::string::npos) text.replace(at, stand_in.size(), meant);
  }
  return text;
}

bool forbids_thinking(const TextRequest& request) {
  return is(given_variables(request), "enable_thinking", false);
}

KnownTools tool_names(const TextRequest& request) {
  KnownTools names;
  for (const Json& tool : given_tools(request)) {
    const auto function = tool.find("function");
    const Json& described = function != tool.end() && function->is_object() ? *function : tool;
    const auto name = described.find("name");
    if (name != described.end() && name->is_string()) names.insert(name->get<std::string>());
  }
  return names;
}

}  // namespace engines::decoding
