// SPDX-License-Identifier: Apache-2.0
// Where models come from is said by the name: of a hub, of a registry, or of a recipe that knows.
#include "host/server/ollama/transfer_routes.h"
#include "host/server/stored_models.h"

#include "host/app/pull.h"
#include "host/server/ollama/create_request.h"
#include "host/server/ollama/progress_lines.h"
#include "host/server/ollama/reference.h"
#include "host/server/use_cases.h"
#include "host/sources/hub.h"
#include "host/sources/registry_push.h"
#include "host/text/json_text.h"

namespace roundhouse::host::ollama {
namespace {

// A scheme stands for itself; everything else is in Ollama's grammar.
Reference source_of(const std::string& text) {
  if (!is_hub_source(text) && !text.starts_with(kRegistryScheme)) return parse_reference(text);
  Reference reference;
  reference.source = text;
  return reference;
}

// None: the model is here, and nobody knows where there would be another. Throws MODEL_NOT_FOUND.
std::optional<std::string> pull_source(const AppContext& context, const std::string& text) {
  const Reference reference = source_of(text);
  if (reference.source) return reference.source;
  if (find_recipe(context, reference.model)) return reference.model;
  require_present(context.models().resolve(reference.model));
  return std::nullopt;
}

// What a pull will call it.
ModelName name_of_source(const std::string& source) {
  if (is_hub_source(source)) return ModelName::parse(hub_model_name(parse_hub_source(source)));
  if (!source.starts_with(kRegistryScheme)) return ModelName::parse(source);
  const RegistryReference reference = RegistryReference::parse(source);
  if (const auto name = reference.default_name()) return *name;
  throw Error(RH_INVALID_ARGUMENT,
              "reference '" + reference.text() + "': its name cannot be that of a model");
}

void pull_by_name(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const AppContext context = context_of(services, exchange);
  const auto source = pull_source(context, model_field(fields));
  if (source) require_allowed(services, name_of_source(*source));
  ProgressLines lines(exchange, fields.boolean("stream", true), "pulling");
  lines.status("pulling manifest");
  if (!source) return lines.success();
  PullRequest request;
  request.source = *source;
  // The model that this client means when it says the same name again.
  if (is_hub_source(*source)) request.name = ModelName::parse(hub_model_name(parse_hub_source(*source)));
  request.hub.allow_http = fields.boolean("insecure", false);
  request.progress = lines.seen();
  pull(context, request);
  lines.status("verifying sha256 digest");
  lines.status("writing manifest");
  lines.success();
}

// The name is that of the registry too: "registry.example/team/model:tag" is sent there, and is the model
// "model:tag" here, unless `source` names another.
void push(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const std::string text = model_field(fields);
  const Reference reference = source_of(text);
  if (!reference.source || is_hub_source(*reference.source)) {
    throw Error(RH_INVALID_ARGUMENT,
                "model: '" + text + "' names no registry, expected REGISTRY/REPOSITORY[:TAG]");
  }
  const RegistryReference target = RegistryReference::parse(*reference.source);
  const auto own = target.default_name();
  const std::string name = fields.text("source").value_or(own ? own->text() : "");
  require_stored(services, ModelName::parse(name));
  Store store(services.store_root);
  const StoredModel model = store.get(ModelName::parse(name));
  const AppContext context = context_of(services, exchange);
  RegistryAccess access{context.http(), find_credentials(target, context.environment)};
  access.http.allow_plain_http = fields.boolean("insecure", false);
  ProgressLines lines(exchange, fields.boolean("stream", true), "pushing");
  lines.status("retrieving manifest");
  PushOptions options;
  options.progress = lines.seen();
  push_model(store, model, open_registry(target, access), options);
  lines.status("pushing manifest");
  lines.success();
}

void create(const Services& services, http::Exchange& exchange, Uploads& uploads) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const CreateRequest request = read_create_request(fields);
  ProgressLines lines(exchange, fields.boolean("stream", true), "creating");
  create_model(services, exchange, uploads, request, lines);
  lines.success();
}

}  // namespace

void add_transfer_routes(http::Router& router, const Services& services,
                         const std::shared_ptr<Uploads>& uploads) {
  router.add("POST", "/api/pull", {},
             [&services](http::Exchange& exchange) { pull_by_name(services, exchange); });
  router.add("POST", "/api/push", {}, [&services](http::Exchange& exchange) { push(services, exchange); });
  router.add("POST", "/api/create", {},
             [&services, uploads](http::Exchange& exchange) { create(services, exchange, *uploads); });
}

}  // namespace roundhouse::host::ollama
