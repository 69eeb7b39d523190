// SPDX-License-Identifier: Apache-2.0
// Models by name or directory: what they are, where they lie, what they allow, and whether they are complete.
// Loads no weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/manifest/manifest.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Defaults of requests to a model; what is absent falls back to the program's own (8 steps, no guidance,
// 1024x1024).
struct ModelDefaults {
  std::optional<std::uint32_t> steps, width, height;
  std::optional<double> guidance, cfg_normalization, cfg_truncation;
  std::optional<std::string> sampler, schedule, negative_prompt;
};

// Sizes that a model takes. The engine's hard rule (multiples of 16 from 16 to 2048) stands for a bare
// directory.
struct SizeLimits {
  std::uint32_t minimum = 16, maximum = 2048, multiple_of = 16;
};

// A recipe of manifests/models/*.yaml, schema 1.
struct ModelSpec {
  std::filesystem::path file;
  std::string name, title, description, license, architecture;
  std::filesystem::path path;  // as written: relative to the spec, or to the user's model directory
  ModelDefaults defaults;
  SizeLimits size;
};
// Letters, digits and . _ - : @ after a letter or digit; no "..", at most 128 bytes.
bool is_plain_model_name(const std::string& name);

// Throws MODEL_INVALID with file, line and field.
ModelSpec read_model_spec(const std::filesystem::path& file);
// The same of a text; `file` names it in messages.
ModelSpec parse_model_spec(const std::string& text, const std::filesystem::path& file);
// What parse_model_spec reads, with the path ".".
nlohmann::ordered_json model_spec_json(const ModelSpec& spec);
nlohmann::ordered_json model_defaults_json(const ModelDefaults& defaults);

// A model directory as it lies on disk.
struct ModelDirectory {
  std::filesystem::path path;       // absolute
  std::string architecture;         // _class_name of model_index.json
  std::string weight_format;        // "safetensors"
  std::vector<std::string> dtypes;  // of its weights: "bf16", ...; from the headers
};
// Reads model_index.json and checks that every file which the components need is there. Throws
// WEIGHTS_MISSING listing all that is absent at once, MODEL_INVALID for damaged JSON or an unknown layout.
ModelDirectory inspect_model_directory(const std::filesystem::path& directory);
// The side of the pictures that the directory's VAE was made for, as far as it can be used as a default.
std::optional<std::uint32_t> sample_size(const std::filesystem::path& directory);

// What a request's --model stands for.
struct ResolvedModel {
  std::string name;  // the spec's name, or the directory as given
  std::filesystem::path directory;
  std::string architecture;  // from the spec, or the directory
  ModelDefaults defaults;
  SizeLimits size;
  std::optional<ModelSpec> spec;
};

// Where specs and models are looked for: ROUNDHOUSE_MODEL_PATH (colon-separated), the user's directory,
// <prefix>/share/roundhouse/models (in a build tree that is a link to the source tree's models).
struct ModelSearch {
  std::vector<std::filesystem::path> spec_directories;  // first wins
  std::filesystem::path user_directory;                 // $XDG_DATA_HOME/roundhouse/models
};
ModelSearch model_search(const std::function<std::optional<std::string>(const std::string&)>& environment,
                         const std::filesystem::path& executable);

class ModelCatalogue {
 public:
  explicit ModelCatalogue(ModelSearch search);

  // `reference` is a name (pocket-turbo) or, when it contains '/' or is "." or "..", a directory. A bare
  // directory obeys the engine's hard rule and takes its default size from the VAE's sample_size. Throws
  // UNSAFE_NAME, MODEL_NOT_FOUND (naming what there is). Whether the directory is complete is for
  // inspect_model_directory to say.
  ResolvedModel resolve(const std::string& reference) const;

  struct Entry {
    ModelSpec spec;
    std::filesystem::path directory;
    bool present = false;
  };
  std::vector<Entry> entries() const;  // by name; the first of a name wins
  // Spec files that could not be read.
  const std::vector<Error>& problems() const { return problems_; }

  static constexpr const char* kDefaultModel = "pocket-turbo";

 private:
  ModelSearch search_;
  std::vector<ModelSpec> specs_;
  std::vector<Error> problems_;
};

}  // namespace roundhouse::host
