// SPDX-License-Identifier: Apache-2.0
// What a model directory is made of: components with weights, and files that are none.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engines/weights/weight_class.h"

namespace engines::conversion {

// One folder's weights.
struct Component {
  WeightClass weights;             // `other` where no class is known
  std::string folder;              // in the model, ending with '/', or empty
  std::string stem;                // "model"
  std::vector<std::string> files;  // in the model: one, or shards; sorted
  bool gguf = false;
  bool configured = false;  // has a config.json

  std::string file(bool as_gguf) const { return folder + stem + (as_gguf ? ".gguf" : ".safetensors"); }
};

struct PlainFile {
  std::string path;  // in the model
  std::uint64_t size = 0;
};

struct ModelParts {
  std::vector<Component> components;  // by folder
  std::vector<PlainFile> files;       // by path; no weights of a component, no index of shards
};

// `classes`: what may be known of a component, most specific first. Links are followed, names that begin with
// a dot left out. Throws MODEL_NOT_FOUND, WEIGHTS_MISSING where no folder has weights, MODEL_INVALID for
// damaged configurations, UNSAFE_NAME for shards that lead elsewhere, IO_ERROR for what is neither file nor
// directory or nested deeper than 16 levels.
ModelParts read_model_parts(const std::filesystem::path& directory, std::span<const WeightClass> classes);

}  // namespace engines::conversion
