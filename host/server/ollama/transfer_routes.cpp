// SPDX-License-Identifier: Apache-2.0
// Where models come from is said by the name: of a hub, of a registry, or of a recipe that knows.
#include "host/server/ollama/transfer_routes.h"

#include <cstdlib>

#include "host/server/json_text.h"
#include "host/server/ollama/create_request.h"
#include "host/server/ollama/progress_lines.h"
#include "host/server/ollama/reference.h"
#include "host/sources/hub.h"
#include "host/sources/registry_pull.h"
#include "host/sources/registry_push.h"

namespace roundhouse::host::ollama {
namespace {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

struct Transfer {
  const Services& services;
  http::Exchange& exchange;
  bool insecure = false;

  HttpOptions http() const {
    HttpOptions options;
    options.user_agent = "roundhouse/" + services.version;
    options.allow_plain_http = insecure;
    options.cancelled = [this] { return exchange.cancelled().load(); };
    return options;
  }
  std::shared_ptr<RegistryLink> registry(const RegistryReference& reference) const {
    return open_registry(reference, {http(), find_credentials(reference, environment_variable)});
  }
};

// A scheme stands for itself; everything else is in Ollama's grammar.
Reference source_of(const std::string& text) {
  if (!is_hub_source(text) && !text.starts_with(kRegistryScheme)) return parse_reference(text);
  Reference reference;
  reference.source = text;
  return reference;
}

ImportOptions import_options(const Transfer& transfer, ProgressLines& lines) {
  ImportOptions options;
  options.provenance.tool = "roundhouse " + transfer.services.version;
  options.progress = lines.seen();
  options.check = transfer.services.check;
  return options;
}

ImportReport pull_hub(const Transfer& transfer, const HubRepository& repository, ProgressLines& lines) {
  HubOptions options = hub_options({std::nullopt, std::nullopt, transfer.insecure}, environment_variable);
  options.http = transfer.http();
  return pull_from_hub(Store(transfer.services.store_root), {{repository, {}, {}, {}}},
                       ModelName::parse(hub_model_name(repository)), options,
                       import_options(transfer, lines));
}

ImportReport pull_registry(const Transfer& transfer, const RegistryReference& reference,
                           ProgressLines& lines) {
  const auto name = reference.default_name();
  if (!name) {
    throw Error(RH_UNSAFE_NAME, "model: '" + reference.repository + "' gives no name for the store",
                "pull it with 'roundhouse pull " + reference.text() + " --name NAME'");
  }
  RegistryPullOptions options;
  options.progress = lines.seen();
  options.check = transfer.services.check;
  return pull_model(transfer.services.store_root, *name, transfer.registry(reference), options);
}

void pull(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const std::string text = model_field(fields);
  const Reference reference = source_of(text);
  const Transfer transfer{services, exchange, fields.boolean("insecure", false)};
  ProgressLines lines(exchange, fields.boolean("stream", true), "pulling");
  if (!reference.source) {
    // What is here already need not come; what is not says itself where it could come from.
    services.models().resolve(reference.model);
    lines.status("pulling manifest");
    return lines.success();
  }
  lines.status("pulling manifest");
  if (is_hub_source(*reference.source)) {
    pull_hub(transfer, parse_hub_source(*reference.source), lines);
  } else {
    pull_registry(transfer, RegistryReference::parse(*reference.source), lines);
  }
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
  Store store(services.store_root);
  const StoredModel model = store.get(ModelName::parse(name));
  const Transfer transfer{services, exchange, fields.boolean("insecure", false)};
  ProgressLines lines(exchange, fields.boolean("stream", true), "pushing");
  lines.status("retrieving manifest");
  PushOptions options;
  options.progress = lines.seen();
  push_model(store, model, transfer.registry(target), options);
  lines.status("pushing manifest");
  lines.success();
}

void create(const Services& services, http::Exchange& exchange, Uploads& uploads) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const CreateRequest request = read_create_request(fields);
  ProgressLines lines(exchange, fields.boolean("stream", true), "creating");
  create_model(services, uploads, request, lines);
  lines.success();
}

}  // namespace

void add_transfer_routes(http::Router& router, const Services& services,
                         const std::shared_ptr<Uploads>& uploads) {
  router.add("POST", "/api/pull", {}, [&services](http::Exchange& exchange) { pull(services, exchange); });
  router.add("POST", "/api/push", {}, [&services](http::Exchange& exchange) { push(services, exchange); });
  router.add("POST", "/api/create", {},
             [&services, uploads](http::Exchange& exchange) { create(services, exchange, *uploads); });
}

}  // namespace roundhouse::host::ollama
