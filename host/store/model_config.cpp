// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_config.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/store/small_file.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

[[noreturn]] void refuse_config(const std::string& where, const std::string& what) {
  throw Error(RH_MODEL_INVALID, "model config: " + where + ": " + what);
}

const json& member(const json& object, const char* key, const std::string& where) {
  const auto value = object.find(key);
  if (value == object.end()) refuse_config(where + key, "is missing");
  return *value;
}

std::string text_of(const json& object, const char* key, const std::string& where = "") {
  const json& value = member(object, key, where);
  if (!value.is_string()) refuse_config(where + key, "expected text");
  return value.get<std::string>();
}

std::string optional_text(const json& object, const char* key, const std::string& where) {
  return object.contains(key) ? text_of(object, key, where) : "";
}

std::uint64_t count_of(const json& object, const char* key, const std::string& where) {
  const json& value = member(object, key, where);
  if (!value.is_number_unsigned()) refuse_config(where + key, "expected a whole number");
  return value.get<std::uint64_t>();
}

Digest digest_of(const json& object, const char* key, const std::string& where) {
  const auto digest = Digest::parse(text_of(object, key, where));
  if (!digest) refuse_config(where + key, "expected sha256: and 64 hexadecimal digits");
  return *digest;
}

const json& object_of(const json& object, const char* key) {
  const json& value = member(object, key, "");
  if (!value.is_object()) refuse_config(key, "expected an object");
  return value;
}

ordered_json weight_json(const WeightRecord& record) {
  ordered_json object;
  object["header_bytes"] = record.header_bytes;
  object["header"] = record.header.text();
  object["tensors"] = ordered_json::array();
  for (const TensorRecord& tensor : record.tensors) {
    ordered_json row;
    row["name"] = tensor.name;
    row["dtype"] = tensor.dtype;
    row["shape"] = tensor.shape;
    row["begin"] = tensor.begin;
    row["end"] = tensor.end;
    row["digest"] = tensor.digest.text();
    object["tensors"].push_back(std::move(row));
  }
  return object;
}

TensorRecord parse_tensor(const json& row, const std::string& where) {
  if (!row.is_object()) refuse_config(where, "expected an object");
  const json& shape = member(row, "shape", where);
  std::vector<std::uint64_t> sides;
  if (!shape.is_array()) refuse_config(where + "shape", "expected an array");
  for (const auto& side : shape) {
    if (!side.is_number_unsigned()) refuse_config(where + "shape", "expected whole numbers");
    sides.push_back(side.get<std::uint64_t>());
  }
  return {text_of(row, "name", where),   text_of(row, "dtype", where), std::move(sides),
          count_of(row, "begin", where), count_of(row, "end", where),  digest_of(row, "digest", where)};
}

WeightRecord parse_weight(const json& object, const std::string& where) {
  if (!object.is_object()) refuse_config(where, "expected an object");
  WeightRecord record{count_of(object, "header_bytes", where), digest_of(object, "header", where), {}};
  const json& tensors = member(object, "tensors", where);
  if (!tensors.is_array()) refuse_config(where + "tensors", "expected an array");
  for (std::size_t i = 0; i < tensors.size(); ++i)
    record.tensors.push_back(parse_tensor(tensors[i], fmt::format("{}tensors[{}].", where, i)));
  return record;
}

constexpr std::pair<const char*, std::string Conversion::*> kConversionFields[] = {
    {"source_manifest", &Conversion::source_manifest},
    {"source_files", &Conversion::source_files},
    {"engine", &Conversion::engine},
    {"engine_version", &Conversion::engine_version},
    {"type", &Conversion::type},
    {"format", &Conversion::format}};

Conversion parse_conversion(const json& object) {
  if (!object.is_object()) refuse_config("provenance.conversion", "expected an object");
  Conversion conversion;
  for (const auto& [key, field] : kConversionFields)
    conversion.*field = optional_text(object, key, "provenance.conversion.");
  return conversion;
}

std::map<std::string, std::string> parse_sources(const json& object) {
  if (!object.is_object()) refuse_config("provenance.sources", "expected an object");
  std::map<std::string, std::string> sources;
  for (const auto& [repository, commit] : object.items()) {
    if (!commit.is_string()) refuse_config("provenance.sources", "expected strings");
    sources.emplace(repository, commit.get<std::string>());
  }
  return sources;
}

}  // namespace

ordered_json conversion_json(const Conversion& conversion) {
  ordered_json object;
  for (const auto& [key, field] : kConversionFields) {
    if (!(conversion.*field).empty()) object[key] = conversion.*field;
  }
  return object;
}

std::string model_config_text(const ModelConfig& config) {
  ordered_json root;
  root["schema"] = 1;
  root["architecture"] = config.architecture;
  root["weight_format"] = config.weight_format;
  root["dtypes"] = config.dtypes;
  root["spec"] = model_spec_json(config.spec);
  root["spec"].erase("name");
  ordered_json provenance;
  provenance["kind"] = config.provenance.kind;
  if (!config.provenance.repository.empty()) provenance["repository"] = config.provenance.repository;
  if (!config.provenance.revision.empty()) provenance["revision"] = config.provenance.revision;
  provenance["tool"] = config.provenance.tool;
  if (!config.provenance.sources.empty()) provenance["sources"] = config.provenance.sources;
  if (config.provenance.conversion) provenance["conversion"] = conversion_json(*config.provenance.conversion);
  root["provenance"] = std::move(provenance);
  root["weights"] = ordered_json::object();
  for (const auto& [path, record] : config.weights)
    root["weights"][path] = weight_json(record);
  return json_text(root);
}

ModelConfig parse_model_config(const std::string& text, const std::string& name) {
  const json root = parse_json_object(text, "model config");
  if (count_of(root, "schema", "") != 1) refuse_config("schema", "expected 1");
  json spec = object_of(root, "spec");
  spec["name"] = name;
  spec["path"] = ".";
  ModelConfig config;
  config.spec = parse_model_spec(json_text(spec), "model config: spec");
  config.spec.file.clear();
  config.architecture = text_of(root, "architecture");
  config.weight_format = text_of(root, "weight_format");
  const json& dtypes = member(root, "dtypes", "");
  if (!dtypes.is_array()) refuse_config("dtypes", "expected an array");
  for (const auto& dtype : dtypes) {
    if (!dtype.is_string()) refuse_config("dtypes", "expected text");
    config.dtypes.push_back(dtype.get<std::string>());
  }
  const json& provenance = object_of(root, "provenance");
  config.provenance = {
      text_of(provenance, "kind", "provenance."), optional_text(provenance, "repository", "provenance."),
      optional_text(provenance, "revision", "provenance."), optional_text(provenance, "tool", "provenance.")};
  if (provenance.contains("sources")) config.provenance.sources = parse_sources(provenance.at("sources"));
  if (provenance.contains("conversion"))
    config.provenance.conversion = parse_conversion(provenance.at("conversion"));
  for (const auto& [path, record] : object_of(root, "weights").items())
    config.weights.emplace(path, parse_weight(record, "weights['" + path + "']."));
  return config;
}

}  // namespace roundhouse::host
