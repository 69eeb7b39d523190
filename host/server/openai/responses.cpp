// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/responses.h"

#include <ctime>
#include <memory>

#include "host/server/openai/chat.h"
#include "host/server/openai/failure.h"
#include "host/server/openai/response_items.h"
#include "host/server/openai/response_request.h"
#include "host/server/openai/text_json.h"
#include "host/server/pool_request.h"
#include "host/server/shelf.h"
#include "host/text/json_text.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

constexpr const char* kPrefix = "resp_";

// {"response", "input", "conversation"} of an answer that is kept.
ordered_json kept(Shelf& shelf, const std::string& id) {
  const auto file = id.starts_with(kPrefix) ? shelf.find(id.substr(5)) : nullptr;
  if (file == nullptr)
    throw http::HttpError(
        404, RH_INVALID_ARGUMENT, "id: no answer of that name is kept, or no more",
        "answers are kept in memory for an hour, where the request did not say store: false");
  return ordered_json::parse(*file);
}

ordered_json usage_json(const TextReport& report, std::uint64_t reasoning) {
  return {{"input_tokens", report.prompt_tokens},
          {"input_tokens_details", {{"cached_tokens", report.cached_tokens}}},
          {"output_tokens", report.answer_tokens},
          {"output_tokens_details", {{"reasoning_tokens", reasoning}}},
          {"total_tokens", std::uint64_t{report.prompt_tokens} + report.answer_tokens}};
}

class ResponseAnswer {
 public:
  ResponseAnswer(const Services& services, http::Exchange& exchange, Shelf& shelf, ResponseOrder order)
      : services_(services),
        exchange_(exchange),
        shelf_(shelf),
        order_(std::move(order)),
        items_([this](const char* type, ordered_json event) { tell(type, std::move(event)); }) {}

  void run() {
    TextListener listener;
    listener.begun = [this](const TextPlan& plan, const LeaseReport&) { begin(plan); };
    listener.piece = [this](const TextPiece& piece) { items_.add(piece); };
    const GeneratedText text = generated(listener);
    const bool complete = text.answer.run.text.finish != Finish::length;
    items_.end(complete);
    ordered_json json = response(complete ? "completed" : "incomplete");
    if (!complete) json["incomplete_details"] = {{"reason", "max_output_tokens"}};
    json["usage"] = usage_json(text.answer.run.text, items_.reasoning_tokens());
    if (!text.plan.notes.empty()) json["notes"] = text.plan.notes;
    if (order_.store) keep(json);
    if (!order_.stream) return exchange_.send(200, http::kJson, json_text(json));
    tell(complete ? "response.completed" : "response.incomplete", {{"response", json}});
  }

 private:
  // A stream that fails ends with an event of its own before the dialect's error.
  GeneratedText generated(const TextListener& listener) {
    try {
      return generate_text(services_, exchange_, order_.request, order_.keep_alive, listener);
    } catch (const Error& error) {
      if (stream_ != nullptr && !exchange_.cancelled()) {
        ordered_json json = response("failed");
        json["error"] = {{"code", "server_error"}, {"message", std::string(status_name(error.code()))}};
        tell("response.failed", {{"response", std::move(json)}});
      }
      throw;
    }
  }

  ordered_json response(const char* status) const {
    ordered_json json{{"id", kPrefix + name_}, {"object", "response"},      {"created_at", created_},
                      {"status", status},      {"error", nullptr},          {"incomplete_details", nullptr},
                      {"model", model_},       {"output", items_.output()}, {"store", order_.store},
                      {"usage", nullptr}};
    json.update(order_.settings);
    return json;
  }

  void begin(const TextPlan& plan) {
    model_ = answering_model(plan);
    tell_placement(exchange_, plan);
    if (!order_.stream) return;
    stream_ = &exchange_.begin(200, http::kEventStream);
    tell("response.created", {{"response", response("in_progress")}});
    tell("response.in_progress", {{"response", response("in_progress")}});
  }

  void tell(const char* type, ordered_json event) {
    if (stream_ == nullptr) return;
    ordered_json json{{"type", type}, {"sequence_number", sequence_++}};
    json.update(event);
    if (!stream_->write("event: " + std::string(type) + "\ndata: " + json_text(json) + "\n\n"))
      throw Error(RH_CANCELLED, "the client left");
  }

  void keep(const ordered_json& json) {
    ordered_json conversation = order_.conversation;
    conversation.push_back(items_.message());
    shelf_.keep(name_,
                json_text(ordered_json{
                    {"response", json}, {"input", order_.input}, {"conversation", std::move(conversation)}}));
  }

  const Services& services_;
  http::Exchange& exchange_;
  Shelf& shelf_;
  const ResponseOrder order_;
  const std::string name_ = Shelf::fresh_name();
  const std::time_t created_ = std::time(nullptr);
  std::string model_;
  http::Stream* stream_ = nullptr;
  std::uint64_t sequence_ = 0;
  ResponseItems items_;
};

void respond(const Services& services, Shelf& shelf, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  ordered_json earlier = ordered_json::array();
  if (const auto id = fields.text("previous_response_id")) earlier = kept(shelf, *id).at("conversation");
  ResponseAnswer(services, exchange, shelf,
                 read_response_order(fields, ordered_body(exchange), std::move(earlier)))
      .run();
}

const std::string& id_of(const http::Exchange& exchange) {
  return exchange.request().parameters.at("id");
}

}  // namespace

void add_response_routes(http::Router& router, const Services& services) {
  const auto shelf = std::make_shared<Shelf>(Shelf::Limits{});
  router.add("POST", "/v1/responses", kConversations,
             with_retry_advice(
                 [&services, shelf](http::Exchange& exchange) { respond(services, *shelf, exchange); }));
  router.add("GET", "/v1/responses/{id}", {}, [shelf](http::Exchange& exchange) {
    exchange.send(200, http::kJson, json_text(kept(*shelf, id_of(exchange)).at("response")));
  });
  router.add("GET", "/v1/responses/{id}/input_items", {}, [shelf](http::Exchange& exchange) {
    const ordered_json items = kept(*shelf, id_of(exchange)).at("input");
    exchange.send(200, http::kJson,
                  json_text(ordered_json{{"object", "list"}, {"data", items}, {"has_more", false}}));
  });
  router.add("DELETE", "/v1/responses/{id}", {}, [shelf](http::Exchange& exchange) {
    kept(*shelf, id_of(exchange));
    shelf->drop(id_of(exchange).substr(5));
    exchange.send(
        200, http::kJson,
        json_text(ordered_json{{"id", id_of(exchange)}, {"object", "response"}, {"deleted", true}}));
  });
}

}  // namespace roundhouse::host::openai
