// SPDX-License-Identifier: Apache-2.0
// Answers to conversations: whole, or as chunks while they are written.
#include "host/server/openai/chat.h"

#include <ctime>

#include "host/server/openai/chat_request.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/text_json.h"
#include "host/server/pool_request.h"
#include "host/text/json_text.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

class ChatAnswer {
 public:
  ChatAnswer(const Services& services, http::Exchange& exchange, TextOrder order)
      : services_(services), exchange_(exchange), order_(std::move(order)) {}

  void run() {
    ordered_json choices = ordered_json::array();
    for (std::uint32_t i = 0; i < order_.answers; ++i) {
      TextRequest request = order_.request;
      if (seed_) request.seed = static_cast<std::int64_t>((*seed_ + i) & INT64_MAX);
      const GeneratedText text = generate_text(services_, exchange_, request, order_.keep_alive, listener(i));
      if (!seed_) seed_ = text.plan.job.sampling.seed;
      usage_.add(text.answer.run.text);
      if (i == 0) notes_ = text.plan.notes;
      if (order_.stream) {
        end_choice(i, text);
      } else {
        choices.push_back(choice(i, text));
      }
    }
    if (order_.stream) return end_stream();
    ordered_json json = head("chat.completion");
    json["choices"] = std::move(choices);
    json["usage"] = usage_.json();
    if (!notes_.empty()) json["notes"] = notes_;
    exchange_.send(200, http::kJson, json_text(json));
  }

 private:
  ordered_json head(const char* object) const {
    return {{"id", id_}, {"object", object}, {"created", created_}, {"model", model_}};
  }

  TextListener listener(std::uint32_t index) {
    TextListener listener;
    listener.begun = [this, index](const TextPlan& plan, const LeaseReport&) {
      if (index == 0) {
        model_ = answering_model(plan);
        tell_placement(exchange_, plan);
        if (order_.stream) stream_ = &exchange_.begin(200, http::kEventStream);
      }
      if (stream_ != nullptr) write(index, {{"role", "assistant"}, {"content", ""}}, nullptr);
    };
    if (!order_.stream) return listener;
    listener.piece = [this, index](const TextPiece& piece) {
      write(index, delta(piece), nullptr, &piece.tokens);
    };
    return listener;
  }

  ordered_json delta(const TextPiece& piece) {
    if (piece.channel == Channel::reasoning) return {{"reasoning_content", piece.text}};
    if (piece.channel == Channel::answer) return {{"content", piece.text}};
    ordered_json call{{"index", piece.tool_call}};
    if (piece.tool_name) {
      call["id"] = fresh_name("call_");
      call["type"] = "function";
      call["function"] = {{"name", *piece.tool_name}, {"arguments", piece.text}};
    } else {
      call["function"] = {{"arguments", piece.text}};
    }
    return {{"tool_calls", ordered_json::array({call})}};
  }

  void write(std::uint32_t index, ordered_json change, ordered_json finish,
             const std::vector<TextToken>* tokens = nullptr) {
    ordered_json choice{{"index", index}, {"delta", std::move(change)}};
    if (order_.logprobs)
      choice["logprobs"] = tokens && !tokens->empty() ? chat_logprobs(*tokens) : ordered_json();
    choice["finish_reason"] = std::move(finish);
    ordered_json json = head("chat.completion.chunk");
    json["choices"] = ordered_json::array({std::move(choice)});
    if (order_.usage) json["usage"] = nullptr;
    write_event(*stream_, json);
  }

  void end_choice(std::uint32_t index, const GeneratedText& text) {
    write(index, ordered_json::object(), finish_name(text.answer.run.text.finish));
  }

  void end_stream() {
    if (order_.usage || !notes_.empty()) {
      ordered_json json = head("chat.completion.chunk");
      json["choices"] = ordered_json::array();
      if (order_.usage) json["usage"] = usage_.json();
      if (!notes_.empty()) json["notes"] = notes_;
      write_event(*stream_, json);
    }
    stream_->write("data: [DONE]\n\n");
  }

  ordered_json choice(std::uint32_t index, const GeneratedText& text) const {
    const TextAnswer& answer = text.answer;
    ordered_json message{{"role", "assistant"}, {"content", answer.answer}, {"refusal", nullptr}};
    if (!answer.reasoning.empty()) message["reasoning_content"] = answer.reasoning;
    if (!answer.tool_calls.empty()) {
      if (answer.answer.empty()) message["content"] = nullptr;
      message["tool_calls"] = ordered_json::array();
      for (const ToolCall& call : answer.tool_calls) {
        message["tool_calls"].push_back({{"id", fresh_name("call_")},
                                         {"type", "function"},
                                         {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
      }
    }
    return {{"index", index},
            {"message", std::move(message)},
            {"logprobs", order_.logprobs ? chat_logprobs(answer.tokens) : ordered_json()},
            {"finish_reason", finish_name(answer.run.text.finish)}};
  }

  const Services& services_;
  http::Exchange& exchange_;
  const TextOrder order_;
  const std::string id_ = fresh_name("chatcmpl-");
  const std::time_t created_ = std::time(nullptr);
  std::string model_;
  std::optional<std::uint64_t> seed_;  // of the first answer
  http::Stream* stream_ = nullptr;
  Usage usage_;
  std::vector<std::string> notes_;
};

}  // namespace

void add_chat_routes(http::Router& router, const Services& services) {
  router.add("POST", "/v1/chat/completions", kConversations,
             with_retry_advice([&services](http::Exchange& exchange) {
               const JsonFields fields = JsonFields::parse(exchange.request().body);
               ChatAnswer(services, exchange, read_chat_order(fields, ordered_body(exchange))).run();
             }));
}

}  // namespace roundhouse::host::openai
