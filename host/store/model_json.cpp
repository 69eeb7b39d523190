// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_json.h"

#include <nlohmann/json.hpp>

#include "host/log/error_json.h"

namespace roundhouse::host {

bool makes_images(const std::string& architecture) {
  return architecture.empty() || architecture.ends_with("Pipeline");
}

nlohmann::ordered_json size_json(const ModelSpec& spec, const std::string& architecture) {
  if (!makes_images(architecture)) return nullptr;
  return {
      {"minimum", spec.size.minimum}, {"maximum", spec.size.maximum}, {"multiple_of", spec.size.multiple_of}};
}

nlohmann::ordered_json model_entry_json(const ModelCatalogue::Entry& entry) {
  nlohmann::ordered_json json;
  json["name"] = entry.spec.name;
  json["title"] = entry.spec.title;
  json["description"] = entry.spec.description;
  json["license"] = entry.spec.license;
  json["architecture"] = entry.spec.architecture;
  json["present"] = entry.present;
  json["default"] = entry.spec.name == ModelCatalogue::kDefaultModel;
  json["size"] = size_json(entry.spec, entry.spec.architecture);
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
