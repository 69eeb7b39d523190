// SPDX-License-Identifier: Apache-2.0
// Texts that go on from prompts as they are, whole or as they grow.
#include <ctime>

#include "host/server/openai/chat.h"
#include "host/server/openai/chat_request.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/text_json.h"
#include "host/server/pool_request.h"
#include "host/text/json_text.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

class Completion {
 public:
  Completion(const Services& services, http::Exchange& exchange, CompletionOrder asked)
      : services_(services), exchange_(exchange), asked_(std::move(asked)) {}

  void run() {
    ordered_json choices = ordered_json::array();
    for (const std::string& prompt : asked_.prompts) {
      Usage of_prompt;
      std::optional<std::uint64_t> seed;
      for (std::uint32_t i = 0; i < order().answers; ++i, ++index_) {
        TextRequest request = order().request;
        request.prompt = prompt;
        if (seed) request.seed = static_cast<std::int64_t>((*seed + i) & INT64_MAX);
        const GeneratedText text =
            generate_text(services_, exchange_, request, order().keep_alive, listener(prompt));
        if (!seed) seed = text.plan.job.sampling.seed;
        count(text.answer.run.text, i == 0);
        ordered_json one =
            choice(order().stream ? "" : (asked_.echo ? prompt : "") + text.answer.answer, &text);
        if (order().stream) {
          write(std::move(one));
        } else {
          choices.push_back(std::move(one));
        }
      }
    }
    if (order().stream) return end_stream();
    ordered_json json = head();
    json["choices"] = std::move(choices);
    json["usage"] = usage();
    exchange_.send(200, http::kJson, json_text(json));
  }

 private:
  const TextOrder& order() const { return asked_.order; }

  ordered_json head() const {
    return {{"id", id_}, {"object", "text_completion"}, {"created", created_}, {"model", model_}};
  }

  // Each prompt counts once, however many answers it has.
  void count(const TextReport& report, bool first) {
    if (first) prompt_tokens_ += report.prompt_tokens;
    answer_tokens_ += report.answer_tokens;
  }
  ordered_json usage() const {
    return {{"prompt_tokens", prompt_tokens_},
            {"completion_tokens", answer_tokens_},
            {"total_tokens", prompt_tokens_ + answer_tokens_}};
  }

  TextListener listener(const std::string& prompt) {
    TextListener listener;
    listener.begun = [this, &prompt](const TextPlan& plan, const LeaseReport&) {
      if (model_.empty()) {
        model_ = answering_model(plan);
        tell_placement(exchange_, plan);
        if (order().stream) stream_ = &exchange_.begin(200, http::kEventStream);
      }
      if (stream_ != nullptr && asked_.echo) write(choice(prompt, nullptr));
    };
    if (order().stream) {
      listener.piece = [this](const TextPiece& piece) {
        ordered_json one = choice(piece.text, nullptr);
        if (order().logprobs && !piece.tokens.empty()) one["logprobs"] = completion_logprobs(piece.tokens, 0);
        write(std::move(one));
      };
    }
    return listener;
  }

  // Of a finished text, or of a part of one.
  ordered_json choice(const std::string& text, const GeneratedText* finished) const {
    ordered_json json{{"text", text}, {"index", index_}, {"logprobs", nullptr}, {"finish_reason", nullptr}};
    if (finished == nullptr) return json;
    json["finish_reason"] = finish_name(finished->answer.run.text.finish);
    if (order().logprobs && !order().stream)
      json["logprobs"] =
          completion_logprobs(finished->answer.tokens, text.size() - finished->answer.answer.size());
    return json;
  }

  void write(ordered_json choice) {
    ordered_json json = head();
    json["choices"] = ordered_json::array({std::move(choice)});
    if (order().usage) json["usage"] = nullptr;
    write_event(*stream_, json);
  }

  void end_stream() {
    if (order().usage) {
      ordered_json json = head();
      json["choices"] = ordered_json::array();
      json["usage"] = usage();
      write_event(*stream_, json);
    }
    stream_->write("data: [DONE]\n\n");
  }

  const Services& services_;
  http::Exchange& exchange_;
  const CompletionOrder asked_;
  const std::string id_ = fresh_name("cmpl-");
  const std::time_t created_ = std::time(nullptr);
  std::string model_;
  http::Stream* stream_ = nullptr;
  std::uint32_t index_ = 0;
  std::uint64_t prompt_tokens_ = 0, answer_tokens_ = 0;
};

}  // namespace

void add_completion_routes(http::Router& router, const Services& services) {
  router.add("POST", "/v1/completions", kConversations,
             with_retry_advice([&services](http::Exchange& exchange) {
               const JsonFields fields = JsonFields::parse(exchange.request().body);
               Completion(services, exchange, read_completion_order(fields)).run();
             }));
}

}  // namespace roundhouse::host::openai
