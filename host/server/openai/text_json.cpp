// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/text_json.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "host/text/json_text.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

// JSON has no infinity; the API writes this for tokens that cannot be.
double finite_logprob(float logprob) {
  return std::isfinite(logprob) ? logprob : -9999.0;
}

ordered_json token_json(const TopToken& token) {
  ordered_json bytes = ordered_json::array();
  for (const char c : token.bytes)
    bytes.push_back(static_cast<unsigned char>(c));
  return {{"token", token.bytes}, {"logprob", finite_logprob(token.logprob)}, {"bytes", std::move(bytes)}};
}

}  // namespace

std::string fresh_name(const std::string& prefix) {
  static constexpr char kLetters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  std::random_device device;
  std::string name = prefix;
  for (int i = 0; i < 24; ++i)
    name += kLetters[device() % (sizeof kLetters - 1)];
  return name;
}

ordered_json chat_logprobs(const std::vector<TextToken>& tokens) {
  ordered_json content = ordered_json::array();
  for (const TextToken& token : tokens) {
    ordered_json json = token_json(token);
    json["top_logprobs"] = ordered_json::array();
    for (const TopToken& top : token.top)
      json["top_logprobs"].push_back(token_json(top));
    content.push_back(std::move(json));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

ordered_json completion_logprobs(const std::vector<TextToken>& tokens, std::size_t offset) {
  ordered_json json{{"tokens", ordered_json::array()},
                    {"token_logprobs", ordered_json::array()},
                    {"top_logprobs", ordered_json::array()},
                    {"text_offset", ordered_json::array()}};
  for (const TextToken& token : tokens) {
    json["tokens"].push_back(token.bytes);
    json["token_logprobs"].push_back(finite_logprob(token.logprob));
    ordered_json top = ordered_json::object();
    for (const TopToken& one : token.top)
      top[one.bytes] = finite_logprob(one.logprob);
    json["top_logprobs"].push_back(std::move(top));
    json["text_offset"].push_back(offset);
    offset += token.bytes.size();
  }
  return json;
}

void Usage::add(const TextReport& report) {
  prompt_ = std::max<std::uint64_t>(prompt_, report.prompt_tokens);
  cached_ = std::max<std::uint64_t>(cached_, report.cached_tokens);
  answer_ += report.answer_tokens;
}

ordered_json Usage::json() const {
  return {{"prompt_tokens", prompt_},
          {"completion_tokens", answer_},
          {"total_tokens", prompt_ + answer_},
          {"prompt_tokens_details", {{"cached_tokens", cached_}}}};
}

void write_event(http::Stream& stream, const ordered_json& json) {
  if (!stream.write("data: " + json_text(json) + "\n\n")) throw Error(RH_CANCELLED, "the client left");
}

}  // namespace roundhouse::host::openai
