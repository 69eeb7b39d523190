// SPDX-License-Identifier: Apache-2.0
// Images through the route on which Ollama's clients ask for anything that is generated; loading and
// unloading by an empty prompt; and an honest refusal of text.
#include "host/server/ollama/generate_routes.h"

#include "host/server/ollama/clock.h"
#include "host/server/ollama/entries.h"
#include "host/server/ollama/image_answer.h"
#include "host/server/ollama/reference.h"
#include "host/server/request_fields.h"
#include "host/text/json_text.h"
#include "host/transport/base64.h"

namespace roundhouse::host::ollama {
namespace {

using Json = nlohmann::ordered_json;

// Prompts may be long, and images come inside.
constexpr http::RouteOptions kWithImages{std::uint64_t{64} << 20, false, false};

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

// What routing says of a task that writes or reads text, for the model or its engine.
[[noreturn]] void refuse_text(const Services& services, const Asked& asked, const std::string& task) {
  RouteRequest wanted;
  wanted.task = task;
  wanted.engine = asked.request.engine;
  std::string subject = "engine '" + asked.request.engine.value_or("auto") + "'";
  if (asked.request.model) {
    const Listed model = listed_model(services, *asked.request.model);
    wanted.architecture = model.architecture;
    wanted.weight_format = model.weight_format;
    wanted.dtypes = model.dtypes;
    subject = "model '" + model.spec.name + "' (" + model.architecture + ")";
  }
  const Decision decision = route(wanted, services.registry.snapshot()->records());
  if (decision.error && decision.error->code() != RH_CAPABILITY_UNSUPPORTED) throw Error(*decision.error);
  throw Error(RH_CAPABILITY_UNSUPPORTED, subject + ": no engine does " + task + " with it",
              "models that make images answer at /api/generate");
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

// Without a prompt a client wants the model loaded, or gone.
void load_or_unload(const Services& services, http::Exchange& exchange, const Asked& asked, bool chat) {
  const bool unload = asked.keep_alive && asked.keep_alive->count() == 0;
  if (unload) {
    const std::string name =
        asked.request.model ? listed_model(services, *asked.request.model).spec.name : *asked.request.engine;
    services.pool.unload(name);
  } else {
    load_model(services, exchange, asked.request, asked.keep_alive);
  }
  Json line = end_line(asked, unload ? "unload" : "load");
  if (chat) {
    line.erase("response");
    line["message"] = {{"role", "assistant"}, {"content", ""}};
  }
  send_json(exchange, line);
}

bool is_for_images(const Services& services, const GenerateRequest& request) {
  if (!request.model) return true;  // an engine that needs no model; make_plan says what it can do
  return model_capabilities(listed_model(services, *request.model).architecture).front() == "image";
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
  if (images && !images->empty()) {
    throw Error(RH_CAPABILITY_UNSUPPORTED, "images: no engine does image-to-image");
  }
}

void generate(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  Asked asked = read_asked(fields);
  asked.request.prompt = fields.text("prompt").value_or("");
  if (asked.request.prompt.empty()) return load_or_unload(services, exchange, asked, false);
  if (!is_for_images(services, asked.request)) refuse_text(services, asked, "text-generation");
  read_image(fields, asked);
  ImageAnswer(services, exchange, asked.model, asked.stream, asked.metadata)
      .run(asked.request, asked.keep_alive);
}

void chat(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const Asked asked = read_asked(fields);
  const auto messages = fields.list("messages");
  if (!messages || messages->empty()) return load_or_unload(services, exchange, asked, true);
  refuse_text(services, asked, "chat");
}

void embed(const Services& services, http::Exchange& exchange, const char* input) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const Asked asked = read_asked(fields);
  if (!fields.has(input)) {
    throw Error(RH_INVALID_ARGUMENT, std::string(input) + ": is missing, expected a text");
  }
  refuse_text(services, asked, "embedding");
}

}  // namespace

void add_generate_routes(http::Router& router, const Services& services) {
  router.add("POST", "/api/generate", kWithImages,
             [&services](http::Exchange& exchange) { generate(services, exchange); });
  router.add("POST", "/api/chat", kWithImages,
             [&services](http::Exchange& exchange) { chat(services, exchange); });
  router.add("POST", "/api/embed", {},
             [&services](http::Exchange& exchange) { embed(services, exchange, "input"); });
  router.add("POST", "/api/embeddings", {},
             [&services](http::Exchange& exchange) { embed(services, exchange, "prompt"); });
}

}  // namespace roundhouse::host::ollama
