// SPDX-License-Identifier: Apache-2.0
// Tasks and pieces of text as messages between host and worker.
#include <cmath>
#include <limits>

#include "host/worker/message_json.h"
#include "host/worker/ops/packed_texts.h"
#include "host/worker/ops/text.h"

namespace roundhouse::host {

using Json = nlohmann::json;

namespace {

// JSON has no infinity.
Json number_json(float value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

float number_of(const Json& json) {
  return json.is_null() ? -std::numeric_limits<float>::infinity() : json.get<float>();
}

Json sampling_json(const Sampling& sampling) {
  Json json = {{"seed", sampling.seed},
               {"temperature", sampling.temperature},
               {"top_k", sampling.top_k},
               {"top_p", sampling.top_p},
               {"min_p", sampling.min_p},
               {"typical_p", sampling.typical_p},
               {"repetition_penalty", sampling.repetition_penalty},
               {"presence_penalty", sampling.presence_penalty},
               {"frequency_penalty", sampling.frequency_penalty},
               {"repeat_last_n", sampling.repeat_last_n},
               {"dry_allowed_length", sampling.dry_allowed_length},
               {"dry_multiplier", sampling.dry_multiplier},
               {"dry_base", sampling.dry_base},
               {"mirostat_tau", sampling.mirostat_tau},
               {"mirostat_eta", sampling.mirostat_eta},
               {"biases", Json::array()}};
  for (const auto& [id, bias] : sampling.biases)
    json["biases"].push_back({id, number_json(bias)});
  return json;
}

Sampling sampling_of(const Json& json) {
  Sampling sampling;
  sampling.seed = member<std::uint64_t>(json, "seed");
  sampling.temperature = member<double>(json, "temperature");
  sampling.top_k = member<std::uint32_t>(json, "top_k");
  sampling.top_p = member<double>(json, "top_p");
  sampling.min_p = member<double>(json, "min_p");
  sampling.typical_p = member<double>(json, "typical_p");
  sampling.repetition_penalty = member<double>(json, "repetition_penalty");
  sampling.presence_penalty = member<double>(json, "presence_penalty");
  sampling.frequency_penalty = member<double>(json, "frequency_penalty");
  sampling.repeat_last_n = member<std::uint32_t>(json, "repeat_last_n");
  sampling.dry_allowed_length = member<std::uint32_t>(json, "dry_allowed_length");
  sampling.dry_multiplier = member<double>(json, "dry_multiplier");
  sampling.dry_base = member<double>(json, "dry_base");
  sampling.mirostat_tau = member<double>(json, "mirostat_tau");
  sampling.mirostat_eta = member<double>(json, "mirostat_eta");
  for (const Json& bias : json.at("biases"))
    sampling.biases.emplace_back(bias.at(0).get<std::int32_t>(), number_of(bias.at(1)));
  return sampling;
}

Json token_json(const TopToken& token, TextPacker& packer) {
  return {token.id, number_json(token.logprob), packer.add(std::string_view(token.bytes))};
}

void read_token(const Json& json, TextUnpacker& texts, TopToken& token) {
  token.id = json.at(0).get<std::int32_t>();
  token.logprob = number_of(json.at(1));
  token.bytes = texts.next(json.at(2));
}

Channel channel_of(std::uint32_t value) {
  if (value < RH_CHANNEL_ANSWER || value > RH_CHANNEL_TOOL_CALL)
    throw FrameError("a piece of a channel that there is not");
  return static_cast<Channel>(value);
}

}  // namespace

Message message_of(const TextTask& task) {
  TextPacker packer;
  Json json = {{"messages", packer.add(task.messages)},
               {"prompt", packer.add(std::string_view(task.prompt))},
               {"tools", packer.add(task.tools)},
               {"response_format", packer.add(task.response_format)},
               {"template_variables", packer.add(task.template_variables)},
               {"stops", packer.add_all(task.stops)},
               {"sampling", sampling_json(task.sampling)},
               {"max_tokens", task.max_tokens},
               {"window", task.window},
               {"shift", task.shift},
               {"keep_tokens", task.keep_tokens},
               {"tokens", task.tokens},
               {"top_logprobs", task.top_logprobs},
               {"options", task.options}};
  return {message_text(json), packer.take()};
}

TextTask text_task_of(const Message& message) {
  return read_message(message.json, [&](const Json& json) {
    TextUnpacker texts(message.payload);
    TextTask task;
    task.messages = texts.next_optional(json.at("messages"));
    task.prompt = texts.next(json.at("prompt"));
    task.tools = texts.next_optional(json.at("tools"));
    task.response_format = texts.next_optional(json.at("response_format"));
    task.template_variables = texts.next_optional(json.at("template_variables"));
    task.stops = texts.next_all(json.at("stops"));
    texts.expect_end();
    task.sampling = sampling_of(json.at("sampling"));
    task.max_tokens = member<std::uint32_t>(json, "max_tokens");
    task.window = member<std::uint32_t>(json, "window");
    task.shift = member<bool>(json, "shift");
    task.keep_tokens = member<std::uint32_t>(json, "keep_tokens");
    task.tokens = member<bool>(json, "tokens");
    task.top_logprobs = member<std::uint32_t>(json, "top_logprobs");
    task.options = member<std::vector<EngineOption>>(json, "options");
    return task;
  });
}

// Members that say nothing are left out: there are many pieces.
Message message_of(const TextPiece& piece) {
  TextPacker packer;
  Json json = {{"channel", static_cast<std::uint32_t>(piece.channel)},
               {"text", packer.add(std::string_view(piece.text))}};
  if (piece.channel == Channel::tool_call) {
    json["tool_call"] = piece.tool_call;
    json["tool_name"] = packer.add(piece.tool_name);
  }
  if (!piece.tokens.empty()) json["tokens"] = Json::array();
  for (const TextToken& token : piece.tokens) {
    Json row = token_json(token, packer);
    Json top = Json::array();
    for (const TopToken& other : token.top)
      top.push_back(token_json(other, packer));
    row.push_back(std::move(top));
    json["tokens"].push_back(std::move(row));
  }
  return {message_text(json), packer.take()};
}

TextPiece text_piece_of(const Message& message) {
  return read_message(message.json, [&](const Json& json) {
    TextUnpacker texts(message.payload);
    TextPiece piece;
    piece.channel = channel_of(member<std::uint32_t>(json, "channel"));
    piece.text = texts.next(json.at("text"));
    if (piece.channel == Channel::tool_call) {
      piece.tool_call = member<std::uint32_t>(json, "tool_call");
      piece.tool_name = texts.next_optional(json.at("tool_name"));
    }
    for (const Json& row : json.value("tokens", Json::array())) {
      TextToken& token = piece.tokens.emplace_back();
      read_token(row, texts, token);
      for (const Json& other : row.at(3))
        read_token(other, texts, token.top.emplace_back());
    }
    texts.expect_end();
    return piece;
  });
}

}  // namespace roundhouse::host
