// SPDX-License-Identifier: Apache-2.0
// Models by name: listed, shown, copied, deleted, unloaded.
#include "host/server/ollama/model_routes.h"
#include "host/server/stored_models.h"

#include "host/server/ollama/entries.h"
#include "host/server/ollama/reference.h"
#include "host/text/json_text.h"

namespace roundhouse::host::ollama {
namespace {

using Json = nlohmann::ordered_json;

void tags(const Services& services, http::Exchange& exchange) {
  Json json;
  json["models"] = Json::array();
  for (const Listed& model : listed_models(services))
    json["models"].push_back(model_entry(model));
  send_json(exchange, json);
}

void ps(const Services& services, http::Exchange& exchange) {
  Json json;
  json["models"] = Json::array();
  for (const Resident& resident : services.pool.residents())
    json["models"].push_back(running_entry(resident));
  send_json(exchange, json);
}

// One "name value" a line, as Ollama writes parameters.
std::string parameters_text(const Json& defaults) {
  std::string text;
  for (const auto& [name, value] : defaults.items())
    text += (text.empty() ? "" : "\n") + name + " " +
            (value.is_string() ? value.get<std::string>() : json_text(value));
  return text;
}

std::string modelfile_text(const Listed& model, const std::string& parameters) {
  std::string text = "FROM " + model.spec.name + "\n";
  for (std::size_t begin = 0; begin < parameters.size();) {
    const std::size_t end = std::min(parameters.find('\n', begin), parameters.size());
    text += "PARAMETER " + parameters.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  if (!model.spec.system_prompt.empty()) text += "SYSTEM \"\"\"" + model.spec.system_prompt + "\"\"\"\n";
  if (!model.spec.license.empty()) text += "LICENSE " + model.spec.license + "\n";
  return text;
}

// Which engines can run the model, and why the others cannot.
Json engines_json(const Services& services, const Listed& model) {
  RouteRequest wanted;
  wanted.architecture = model.architecture;
  wanted.weight_format = model.weight_format;
  wanted.dtypes = model.dtypes;
  Json engines = Json::array();
  for (const Verdict& verdict : route(wanted, services.registry.snapshot()->records()).verdicts) {
    engines.push_back({{"engine", verdict.engine},
                       {"can_run", !verdict.refusal.has_value()},
                       {"reason", verdict.refusal ? verdict.refusal->what() : verdict.reason}});
  }
  return engines;
}

void show(const Services& services, http::Exchange& exchange) {
  const Reference reference = parse_reference(model_field(JsonFields::parse(exchange.request().body)));
  const Listed model = listed_model(services, reference.model);
  const std::string parameters = parameters_text(model_defaults_json(model.spec.defaults));
  Json json;
  if (!model.spec.license.empty()) json["license"] = model.spec.license;
  json["modelfile"] = modelfile_text(model, parameters);
  json["parameters"] = parameters;
  json["template"] = model.spec.prompt_template;
  if (!model.spec.system_prompt.empty()) json["system"] = model.spec.system_prompt;
  json["details"] = model_details(model);
  json["model_info"] = model_info(model);
  json["capabilities"] = model_capabilities(model.architecture);
  json["modified_at"] = model.modified_at;
  json["digest"] = model.digest;
  json["engines"] = engines_json(services, model);
  send_json(exchange, json);
}

ModelName stored_name(const std::string& text) {
  return ModelName::parse(parse_reference(text).model);
}

void copy(const Services& services, http::Exchange& exchange) {
  const JsonFields fields = JsonFields::parse(exchange.request().body);
  const auto source = fields.text("source"), destination = fields.text("destination");
  if (!source) throw Error(RH_INVALID_ARGUMENT, "source: is missing, expected the name of a model");
  if (!destination) throw Error(RH_INVALID_ARGUMENT, "destination: is missing, expected a name");
  require_stored(services, stored_name(*source));
  require_allowed(services, stored_name(*destination));
  Store(services.store_root).alias(stored_name(*source), stored_name(*destination));
  exchange.send(200, http::kJson, "");
}

// The model's worker goes too: nothing of it shall be used any more.
void remove(const Services& services, http::Exchange& exchange) {
  const ModelName name = stored_name(model_field(JsonFields::parse(exchange.request().body)));
  require_stored(services, name);
  Store(services.store_root).remove(name, true);
  services.pool.unload(name.text());
  exchange.send(200, http::kJson, "");
}

void stop(const Services& services, http::Exchange& exchange) {
  const std::string text = model_field(JsonFields::parse(exchange.request().body));
  const Reference reference = parse_reference(text);
  const std::string name = reference.model.empty() ? reference.engine.value_or("") : reference.model;
  const auto canonical = ModelName::try_parse(name);
  const std::size_t unloaded = services.pool.unload(canonical ? canonical->text() : name);
  if (unloaded == 0 && !reference.model.empty()) listed_model(services, reference.model);
  send_json(exchange, {{"model", text}, {"unloaded", unloaded}});
}

}  // namespace

void add_model_routes(http::Router& router, const Services& services) {
  const auto add = [&](const char* method, const char* pattern,
                       void (*handler)(const Services&, http::Exchange&)) {
    router.add(method, pattern, {},
               [&services, handler](http::Exchange& exchange) { handler(services, exchange); });
  };
  add("GET", "/api/tags", tags);
  add("GET", "/api/ps", ps);
  add("POST", "/api/show", show);
  add("POST", "/api/copy", copy);
  add("DELETE", "/api/delete", remove);
  add("POST", "/api/stop", stop);
}

}  // namespace roundhouse::host::ollama
