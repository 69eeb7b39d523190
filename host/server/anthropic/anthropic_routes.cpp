// SPDX-License-Identifier: Apache-2.0
#include "host/server/anthropic/anthropic_routes.h"

#include "host/server/anthropic/failure.h"
#include "host/server/anthropic/message_answer.h"
#include "host/server/openai/chat.h"
#include "host/server/openai/failure.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

void count_tokens(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  anthropic::MessageOrder order = anthropic::read_message_order(fields, ordered_body(exchange), true);
  const RenderedPrompt prompt = render_text(services, exchange, std::move(order.request), order.keep_alive);
  exchange.send(200, http::kJson, json_text(nlohmann::json{{"input_tokens", prompt.ids.size()}}));
}

}  // namespace

void add_anthropic_routes(http::Router& router, const Services& services) {
  router.add({"anthropic", "/v1/messages", anthropic::failure_json, "error"});
  // These clients repeat requests as OpenAI's do.
  router.add("POST", "/v1/messages", openai::kConversations,
             openai::with_retry_advice([&services](http::Exchange& exchange) {
               const JsonFields fields = JsonFields::parse(exchange.request().body);
               anthropic::MessageAnswer(services, exchange,
                                        anthropic::read_message_order(fields, ordered_body(exchange), false))
                   .run();
             }));
  router.add(
      "POST", "/v1/messages/count_tokens", openai::kConversations,
      openai::with_retry_advice([&services](http::Exchange& exchange) { count_tokens(services, exchange); }));
}

}  // namespace roundhouse::host
