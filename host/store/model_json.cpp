// SPDX-License-Identifier: Apache-2.0
// Entries of the catalogue as JSON.
#include "host/store/model_json.h"

#include <nlohmann/json.hpp>

#include "host/log/error_json.h"

namespace roundhouse::host {

nlohmann::ordered_json model_entry_json(const ModelCatalogue::Entry& entry) {
  nlohmann::ordered_json json;
  json["name"] = entry.spec.name;
  json["title"] = entry.spec.title;
  json["description"] = entry.spec.description;
  json["license"] = entry.spec.license;
  json["architecture"] = entry.spec.architecture;
  json["present"] = entry.present;
  json["default"] = entry.spec.name == ModelCatalogue::kDefaultModel;
  json["size"] = {{"minimum", entry.spec.size.minimum},
                  {"maximum", entry.spec.size.maximum},
                  {"multiple_of", entry.spec.size.multiple_of}};
  json["defaults"] = model_defaults_json(entry.spec.defaults);
  json["stored"] = entry.stored;
  json["directory"] = entry.directory.string();
  json["spec"] = entry.spec.file.string();
  json["problem"] = entry.problem ? error_json(*entry.problem) : nlohmann::ordered_json(nullptr);
  return json;
}

}  // namespace roundhouse::host
