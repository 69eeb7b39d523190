// SPDX-License-Identifier: Apache-2.0
// What may be asked of engines that read and write texts.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "host/session/text_session.h"
#include "host/session/values.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kLongestInput = std::size_t{64} << 20;
constexpr std::size_t kMostStops = 64, kLongestStop = 4096;
constexpr std::size_t kMostTexts = 65536;
constexpr double kSmallest = 1e-9;  // of what must be above 0

// Deep enough for every schema, and no deeper than a stack allows.
constexpr int kDeepest = 200;

nlohmann::json parsed(const char* field, const std::string& text, const char* expected) {
  check_text(field, text, kLongestInput);
  const auto callback = [&](int depth, nlohmann::json::parse_event_t, const nlohmann::json&) {
    if (depth > kDeepest)
      throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: is nested more than {} deep", field, kDeepest));
    return true;
  };
  auto json = nlohmann::json::parse(text, callback, false);
  if (json.is_discarded())
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: is not JSON, expected {}", field, expected));
  return json;
}

void check_objects(const char* field, const std::string& text) {
  const auto list = parsed(field, text, "an array of objects");
  bool sound = list.is_array();
  for (std::size_t i = 0; sound && i < list.size(); ++i)
    sound = list[i].is_object();
  if (!sound) throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: is not an array of objects", field));
}

void check_messages(const std::string& text) {
  check_objects("messages", text);
  const auto list = nlohmann::json::parse(text);
  if (list.empty()) throw Error(RH_INVALID_ARGUMENT, "messages: is empty, expected at least one");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto role = list[i].find("role");
    if (role == list[i].end() || !role->is_string())
      throw Error(RH_INVALID_ARGUMENT, fmt::format("messages[{}].role: is missing, expected a string", i));
  }
}

void check_object(const char* field, const std::optional<std::string>& text) {
  if (text && !parsed(field, *text, "an object").is_object())
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: is not an object", field));
}

void check_stops(const std::vector<std::string>& stops) {
  if (stops.size() > kMostStops)
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("stop: {} texts, expected at most {}", stops.size(), kMostStops));
  for (const std::string& stop : stops) {
    if (stop.empty()) throw Error(RH_INVALID_ARGUMENT, "stop: is empty, expected some text");
    check_text("stop", stop, kLongestStop);
  }
}

void check_sampling(const TextRequest& request) {
  check_number("temperature", request.temperature, 0, 100);
  check_integer("top-k", request.top_k, 0, INT32_MAX);
  check_number("top-p", request.top_p, kSmallest, 1);
  check_number("min-p", request.min_p, 0, 1);
  check_number("typical-p", request.typical_p, kSmallest, 1);
  check_number("repeat-penalty", request.repetition_penalty, kSmallest, 10);
  check_number("presence-penalty", request.presence_penalty, -100, 100);
  check_number("frequency-penalty", request.frequency_penalty, -100, 100);
  check_integer("repeat-last-n", request.repeat_last_n, -1, INT32_MAX);
  check_integer("dry-allowed-length", request.dry_allowed_length, 1, INT32_MAX);
  check_number("dry-multiplier", request.dry_multiplier, 0, 100);
  check_number("dry-base", request.dry_base, 1, 100);
  check_number("mirostat-tau", request.mirostat_tau, 0, 100);
  check_number("mirostat-eta", request.mirostat_eta, 0, 1);
  check_integer("seed", request.seed, -1, INT64_MAX);
  for (const auto& [id, bias] : request.biases) {
    if (id >= 0 && (std::isfinite(bias) || bias < 0)) continue;
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("logit bias: {} of token {}, expected a number of a token from 0", bias, id));
  }
}

}  // namespace

void check_text_values(const TextRequest& request) {
  if (request.messages.has_value() == request.prompt.has_value())
    throw Error(RH_INVALID_ARGUMENT, "prompt: expected either messages or a prompt");
  if (request.messages) check_messages(*request.messages);
  if (request.prompt) check_text("prompt", *request.prompt, kLongestInput, true);
  if (request.tools) check_objects("tools", *request.tools);
  check_object("response format", request.response_format);
  check_object("template variables", request.template_variables);
  if (request.stops) check_stops(*request.stops);
  check_sampling(request);
  check_integer("max-tokens", request.max_tokens, 1, INT32_MAX);
  check_integer("context", request.window, 1, INT32_MAX);
  check_integer("keep-tokens", request.keep_tokens, 0, INT32_MAX);
  check_integer("top-logprobs", request.top_logprobs, 0, 128);
  check_device(request);
}

void check_embed_values(const EmbedRequest& request) {
  if (request.texts.empty() || request.texts.size() > kMostTexts) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("texts: {} were given, expected 1 to {}", request.texts.size(), kMostTexts));
  }
  std::size_t bytes = 0;
  for (const std::string& text : request.texts) {
    check_text("text", text, kLongestInput, true);
    bytes += text.size();
  }
  if (bytes > kLongestInput) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("texts: {} bytes together, expected at most {}", bytes, kLongestInput));
  }
  check_integer("dimensions", request.dimensions, 1, 65536);
  check_device(request);
}

}  // namespace roundhouse::host
