// SPDX-License-Identifier: Apache-2.0
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
  json["problem"] = entry.problem ? error_json(*entry.problem) : nlohmann::ordered_json(nullptr);
  return json;
}

nlohmann::ordered_json damage_json(const Damage& damage) {
  const auto digest = [](const std::string& text) {
    return text.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(text);
  };
  nlohmann::ordered_json json;
  json["file"] = damage.file;
  json["kind"] = damage.kind;
  json["detail"] = damage.detail;
  json["tensors"] = damage.tensors;
  json["expected"] = digest(damage.expected);
  json["found"] = digest(damage.found);
  return json;
}

}  // namespace roundhouse::host
