// SPDX-License-Identifier: Apache-2.0
// One document of many.
#include "host/server/openapi.h"

#include <nlohmann/json.hpp>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using Json = nlohmann::ordered_json;

void merge(Json& target, const Json& source, const std::string& name) {
  for (const auto& [key, value] : source.items()) {
    if (target.contains(key) && target[key] != value) {
      throw Error(RH_INTERNAL, "openapi: " + name + " " + key + " is described twice");
    }
    target[key] = value;
  }
}

}  // namespace

Json openapi_document(const std::string& version) {
  Json document;
  document["openapi"] = "3.1.0";
  document["info"] = {{"title", "Roundhouse"},
                      {"version", version},
                      {"description", "One port, several dialects: see docs/daemon.md."},
                      {"license", {{"name", "Apache-2.0"}, {"identifier", "Apache-2.0"}}}};
  document["security"] =
      Json::array({Json::object(), Json{{"bearer", Json::array()}}, Json{{"key", Json::array()}}});
  document["paths"] = Json::object();
  document["components"] = Json::object();
  document["components"]["securitySchemes"] = {
      {"bearer", {{"type", "http"}, {"scheme", "bearer"}}},
      {"key", {{"type", "apiKey"}, {"in", "header"}, {"name", "X-Api-Key"}}}};
  for (const std::string& text : openapi_parts()) {
    const Json part = Json::parse(text);
    for (const auto& [path, operations] : part.at("paths").items())
      merge(document["paths"][path], operations, path);
    const Json shared = part.value("components", Json::object());
    for (const auto& [group, components] : shared.items())
      merge(document["components"][group], components, group);
  }
  return document;
}

}  // namespace roundhouse::host
