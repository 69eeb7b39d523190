// SPDX-License-Identifier: Apache-2.0
// The config blob of a stored model: its recipe, where it came from, and the digests of its tensors.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/store/model_catalogue.h"
#include "host/store/weight_digests.h"

namespace roundhouse::host {

// Where a model came from. Nothing here names a path or a time of one machine, so that the same files give
// the same model everywhere; those are annotations in index.json.
// How the weights were made from those of another model.
struct Conversion {
  // Of the manifest, where the other model is one of the store; else of the lines "DIGEST PATH" of its files.
  std::string source_manifest, source_files;
  std::string engine, engine_version;
  std::string type, format;  // as they were asked for; format empty: the type's own
};

struct Provenance {
  std::string kind;                  // "directory"
  std::string repository, revision;  // of a hub; empty for a directory
  std::string tool;                  // "roundhouse 0.1.0"
  std::optional<Conversion> conversion = {};
  std::map<std::string, std::string> sources = {};  // commits by repository, where there are several
};

struct ModelConfig {
  ModelSpec spec;  // without file; its path is "."
  std::string architecture, weight_format;
  std::vector<std::string> dtypes;
  Provenance provenance;
  std::map<std::string, WeightRecord> weights;  // by the file's path in the model directory
};

inline constexpr std::size_t kMaximumConfigBytes = 32 << 20;

// The fields that are not empty.
nlohmann::ordered_json conversion_json(const Conversion& conversion);

// The same config gives the same bytes. The spec's name is left out: one model may have several.
std::string model_config_text(const ModelConfig& config);
// `name` becomes the spec's. Throws MODEL_INVALID with the member.
ModelConfig parse_model_config(const std::string& text, const std::string& name);

}  // namespace roundhouse::host
