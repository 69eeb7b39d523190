// SPDX-License-Identifier: Apache-2.0
// Vectors of texts.
#include <bit>
#include <cstring>

#include "host/server/openai/chat.h"
#include "host/server/openai/chat_request.h"
#include "host/server/openai/failure.h"
#include "host/server/pool_request.h"
#include "host/server/request_fields.h"
#include "host/server/text_generation.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

EmbedRequest read_embed_request(const JsonFields& fields) {
  EmbedRequest request;
  take_choice(fields, request);
  const auto input = fields.list("input");
  if (!input || input->empty()) fields.refuse("input", "is empty, expected a text or several");
  for (const nlohmann::json& text : *input) {
    if (text.is_number() || text.is_array())
      throw Error(RH_CAPABILITY_UNSUPPORTED, "input: tokens are not read, expected a text or several");
    if (!text.is_string()) fields.refuse("input", "is not a string, nor a list of strings");
    request.texts.push_back(text.get<std::string>());
  }
  request.dimensions = fields.integer("dimensions", 1, 1 << 20);
  request.truncate = fields.boolean("truncate", false);
  return request;
}

// Little-endian float32 values.
std::string base64_values(const std::vector<float>& values) {
  static_assert(std::endian::native == std::endian::little);
  return base64_encoded({reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
}

void embed(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const bool as_text = fields.word("encoding_format", {"float", "base64"}).value_or("float") == "base64";
  const GeneratedEmbeddings made =
      generate_embeddings(services, exchange, read_embed_request(fields), keep_alive_field(fields));
  tell_placement(exchange, made.plan);
  ordered_json data = ordered_json::array();
  for (const Embedding& vector : made.run.vectors) {
    ordered_json one{{"object", "embedding"}, {"index", vector.index}};
    one["embedding"] = as_text ? ordered_json(base64_values(vector.values)) : ordered_json(vector.values);
    data.push_back(std::move(one));
  }
  const std::uint64_t tokens = made.run.report.tokens;
  ordered_json json{{"object", "list"},
                    {"data", std::move(data)},
                    {"model", answering_model(made.plan)},
                    {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
  exchange.send(200, http::kJson, json_text(json));
}

}  // namespace

void add_embedding_routes(http::Router& router, const Services& services) {
  router.add("POST", "/v1/embeddings", kConversations,
             with_retry_advice([&services](http::Exchange& exchange) { embed(services, exchange); }));
}

}  // namespace roundhouse::host::openai
