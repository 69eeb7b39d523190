// SPDX-License-Identifier: Apache-2.0
// The routes on which Ollama's clients ask for anything that is generated, images and texts; loading and
// unloading by an empty prompt; vectors.
#include "host/server/ollama/generate_routes.h"

#include <fmt/format.h>

#include "host/server/image_to_image.h"
#include "host/server/ollama/clock.h"
#include "host/server/ollama/entries.h"
#include "host/server/ollama/image_answer.h"
#include "host/server/ollama/reference.h"
#include "host/server/ollama/text_answer.h"
#include "host/server/ollama/text_request.h"
#include "host/server/request_fields.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host::ollama {
namespace {

using Json = nlohmann::ordered_json;

struct Asked {
  std::string model;  // as the client wrote it
  GenerateRequest request;
  std::optional<KeepAlive> keep_alive;
  bool stream = true, metadata = true;
};

// `what` is the field that would ask for work: nothing to do without it but to load or unload.
Asked read_asked(const JsonFields& fields) {
  Asked asked;
  asked.model = model_field(fields);
  const Reference reference = parse_reference(asked.model);
  if (!reference.model.empty()) asked.request.model = reference.model;
  asked.request.engine = reference.engine;
  asked.keep_alive = keep_alive_field(fields);
  asked.stream = fields.boolean("stream", true);
  return asked;
}

Json end_line(const Asked& asked, const std::string& reason) {
  Json line;
  line["model"] = asked.model;
  line["created_at"] = now_text();
  line["response"] = "";
  line["done"] = true;
  line["done_reason"] = reason;
  return line;
}

bool is_for_images(const Services& services, const GenerateRequest& request) {
  if (!request.model) return true;  // an engine that needs no model; make_plan says what it can do
  return model_capabilities(listed_model(services, *request.model).architecture).front() == "image";
}

void take_choice(const Asked& asked, ModelChoice& choice) {
  choice.model = asked.request.model;
  choice.engine = asked.request.engine;
}

void load(const Services& services, http::Exchange& exchange, const Asked& asked, bool chat) {
  if (!chat && is_for_images(services, asked.request)) {
    load_model(services, exchange, asked.request, asked.keep_alive);
    return;
  }
  ModelChoice choice;
  take_choice(asked, choice);
  load_text_model(services, exchange, choice, "text-generation", asked.keep_alive);
}

// Without a prompt a client wants the model loaded, or gone.
void load_or_unload(const Services& services, http::Exchange& exchange, const Asked& asked, bool chat) {
  const bool unload = asked.keep_alive && asked.keep_alive->count() == 0;
  if (unload) {
    const std::string name =
        asked.request.model ? listed_model(services, *asked.request.model).spec.name : *asked.request.engine;
    services.pool.unload(name);
  } else {
    load(services, exchange, asked, chat);
  }
  Json line = end_line(asked, unload ? "unload" : "load");
  if (chat) {
    line.erase("response");
    line["message"] = {{"role", "assistant"}, {"content", ""}};
  }
  send_json(exchange, line);
}

// Sizes and steps stand beside the prompt, everything else that has a name at Ollama in `options`.
void read_image(const JsonFields& fields, Asked& asked) {
  GenerateRequest& request = asked.request;
  if (const auto options = fields.object("options")) {
    request.seed = options->integer("seed");
    take_engine_fields(*options, request);
    asked.metadata = metadata_field(*options);
  }
  take_engine_fields(fields, request);
  asked.metadata = asked.metadata && metadata_field(fields);
  request.width = fields.integer("width");
  request.height = fields.integer("height");
  const auto images = fields.list("images");
  if (!images || images->empty()) return;
  if (images->size() > 1) {
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                fmt::format("images: {} were sent, and no engine begins with more than one", images->size()));
  }
  request.init =
      std::make_shared<InitSource>(read_init_image(decode_image_text(images->at(0), "images"), "images"));
  request.strength = fields.number("strength");
}

void write_text(const Services& services, http::Exchange& exchange, const Asked& asked, TextOrder order,
                TextLines::Form form) {
  take_choice(asked, order.request);
  TextLines(services, exchange, asked.model, asked.stream, form)
      .run(order.request, asked.keep_alive, std::move(order.notes));
}

void generate(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  Asked asked = read_asked(fields);
  asked.request.prompt = fields.text("prompt").value_or("");
  if (asked.request.prompt.empty()) return load_or_unload(services, exchange, asked, false);
  if (!is_for_images(services, asked.request))
    return write_text(services, exchange, asked, read_generate_order(fields, ordered_body(exchange)),
                      TextLines::Form::generate);
  read_image(fields, asked);
  ImageAnswer(services, exchange, asked.model, asked.stream, asked.metadata)
      .run(asked.request, asked.keep_alive);
}

void chat(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const Asked asked = read_asked(fields);
  const auto messages = fields.list("messages");
  if (!messages || messages->empty()) return load_or_unload(services, exchange, asked, true);
  write_text(services, exchange, asked, read_chat_order(fields, ordered_body(exchange)),
             TextLines::Form::chat);
}

GeneratedEmbeddings embeddings(const Services& services, http::Exchange& exchange, const JsonFields& fields,
                               const Asked& asked, const char* input) {
  EmbedRequest request = read_embed_order(fields, input);
  take_choice(asked, request);
  return generate_embeddings(services, exchange, std::move(request), asked.keep_alive);
}

void embed(const Services& services, http::Exchange& exchange) {
  const auto begin = std::chrono::steady_clock::now();
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const Asked asked = read_asked(fields);
  const GeneratedEmbeddings made = embeddings(services, exchange, fields, asked, "input");
  Json json{{"model", asked.model}, {"embeddings", Json::array()}};
  for (const Embedding& vector : made.run.vectors)
    json["embeddings"].push_back(vector.values);
  json["total_duration"] = nanoseconds_since(begin);
  json["load_duration"] = static_cast<std::int64_t>(made.run.lease.loading_milliseconds * 1e6);
  json["prompt_eval_count"] = made.run.report.tokens;
  if (!made.plan.notes.empty()) json["notes"] = made.plan.notes;
  send_json(exchange, json);
}

// The older route: one text, one vector.
void embed_one(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const Asked asked = read_asked(fields);
  if (!fields.text("prompt")) fields.refuse("prompt", "is missing, expected a text");
  const GeneratedEmbeddings made = embeddings(services, exchange, fields, asked, "prompt");
  send_json(exchange, {{"embedding", made.run.vectors.at(0).values}});
}

}  // namespace

void add_generate_routes(http::Router& router, const Services& services) {
  router.add("POST", "/api/generate", kWithImages,
             [&services](http::Exchange& exchange) { generate(services, exchange); });
  router.add("POST", "/api/chat", kWithImages,
             [&services](http::Exchange& exchange) { chat(services, exchange); });
  router.add("POST", "/api/embed", kWithImages,
             [&services](http::Exchange& exchange) { embed(services, exchange); });
  router.add("POST", "/api/embeddings", kWithImages,
             [&services](http::Exchange& exchange) { embed_one(services, exchange); });
}

}  // namespace roundhouse::host::ollama
