// SPDX-License-Identifier: Apache-2.0
// Model directories: which files must be there, and what their headers say.
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "host/store/gguf_header.h"
#include "host/store/model_catalogue.h"
#include "host/store/small_file.h"
#include "host/store/weight_files.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using Missing = std::vector<std::string>;

constexpr std::size_t kMaximumConfigBytes = 16 << 20;

// What a component folder holds, by the kind of class that model_index.json gives it.
enum class Kind { scheduler, tokenizer, network };

// The components of an image pipeline, expected even where model_index.json is silent.
const std::map<std::string, Kind> kImageComponents = {{"scheduler", Kind::scheduler},
                                                      {"text_encoder", Kind::network},
                                                      {"tokenizer", Kind::tokenizer},
                                                      {"transformer", Kind::network},
                                                      {"vae", Kind::network}};

Kind kind_of(const std::string& class_name) {
  if (class_name.find("Tokenizer") != std::string::npos) return Kind::tokenizer;
  if (class_name.find("Scheduler") != std::string::npos) return Kind::scheduler;
  return Kind::network;
}

std::map<std::string, Kind> components_of(const nlohmann::json& index) {
  auto components = kImageComponents;
  for (const auto& [name, value] : index.items()) {
    if (!value.is_array() || value.size() != 2 || !value[1].is_string()) continue;
    if (name.find('/') != std::string::npos || name.starts_with(".")) {
      throw Error(RH_UNSAFE_NAME, "model_index.json: component '" + name + "' is not a plain name");
    }
    components[name] = kind_of(value[1].get<std::string>());
  }
  return components;
}

bool present(const fs::path& directory, const std::string& file) {
  if (!file_present(directory / file)) return false;
  refuse_pointer(directory / file, file);
  return true;
}

void require(const fs::path& directory, const std::string& file, Missing& missing) {
  if (!present(directory, file)) missing.push_back(file);
}

// `folder` is "" or ends with '/'.
void require_tokenizer(const fs::path& directory, const std::string& folder, Missing& missing) {
  require(directory, folder + "tokenizer_config.json", missing);
  if (present(directory, folder + "tokenizer.json")) return;
  const bool vocabulary = present(directory, folder + "vocab.json");
  const bool merges = present(directory, folder + "merges.txt");
  if (!vocabulary && !merges) {
    missing.push_back(folder + "tokenizer.json (or vocab.json and merges.txt)");
  } else if (!vocabulary || !merges) {
    missing.push_back(folder + (vocabulary ? "merges.txt" : "vocab.json"));
  }
}

void refuse_missing(const fs::path& directory, const Missing& missing) {
  if (missing.empty()) return;
  throw Error(RH_WEIGHTS_MISSING, "model directory '" + directory.string() + "': missing " + joined(missing));
}

ModelDirectory described(const fs::path& directory, const std::string& architecture,
                         const std::vector<std::string>& weights) {
  StoredTypes stored;
  for (const auto& file : weights)
    collect_types(directory, file, stored);
  const bool gguf = std::any_of(weights.begin(), weights.end(), is_gguf);
  return {fs::absolute(directory),
          architecture,
          gguf ? "gguf" : "safetensors",
          {stored.types.begin(), stored.types.end()},
          stored.main()};
}

// What a text model's GGUF has in its key-values, so that no file beside it is needed.
struct Inside {
  bool configuration = false, tokenizer = false;
};

Inside inside_of(const fs::path& directory, const std::vector<std::string>& weights) {
  if (weights.size() != 1 || !is_gguf(weights.front())) return {};
  const GgufHeader header = read_gguf_header(directory / weights.front(), weights.front());
  return {header.numbers.contains(header.architecture() + ".block_count"),
          header.texts.contains("tokenizer.ggml.model")};
}

// An image pipeline: a folder for each component.
ModelDirectory inspect_pipeline(const fs::path& directory) {
  Missing missing;
  nlohmann::json index = nlohmann::json::object();
  refuse_pointer(directory / "model_index.json", "model_index.json");
  if (const auto text =
          read_small_file(directory / "model_index.json", "model_index.json", kMaximumConfigBytes)) {
    index = parse_json_object(*text, "model_index.json");
  } else {
    missing.emplace_back("model_index.json");
  }
  std::vector<std::string> weights;
  const auto components = components_of(index);
  bool tokenizer_inside = false;
  for (const auto& [component, kind] : components) {
    if (kind == Kind::scheduler) require(directory, component + "/scheduler_config.json", missing);
    if (kind != Kind::network) continue;
    const auto files = weight_files(directory, component + "/", missing);
    const Inside inside = inside_of(directory, files);
    if (!inside.configuration) require(directory, component + "/config.json", missing);
    tokenizer_inside = tokenizer_inside || inside.tokenizer;
    weights.insert(weights.end(), files.begin(), files.end());
  }
  for (const auto& [component, kind] : components) {
    const bool tokenizer = kind == Kind::tokenizer;
    if (tokenizer && !(tokenizer_inside && !present(directory, component + "/tokenizer_config.json")))
      require_tokenizer(directory, component + "/", missing);
  }
  refuse_missing(directory, missing);
  const auto class_name = index.find("_class_name");
  if (class_name == index.end() || !class_name->is_string()) {
    throw Error(RH_MODEL_INVALID, "model_index.json: _class_name: expected the name of a pipeline");
  }
  return described(directory, class_name->get<std::string>(), weights);
}

// The first of "architectures" in a text model's configuration.
std::string configured_architecture(const fs::path& directory) {
  refuse_pointer(directory / "config.json", "config.json");
  const auto text = read_small_file(directory / "config.json", "config.json", kMaximumConfigBytes);
  const auto json = parse_json_object(*text, "config.json");
  const auto names = json.find("architectures");
  if (names == json.end() || !names->is_array() || names->empty() || !names->front().is_string())
    throw Error(RH_MODEL_INVALID, "config.json: architectures: expected a list of names");
  return names->front().get<std::string>();
}

// A model that writes text, all in one folder. A GGUF can be the whole of it.
ModelDirectory inspect_text_model(const fs::path& directory) {
  Missing missing;
  const auto weights = weight_files(directory, "", missing);
  const bool configured = file_present(directory / "config.json");
  const bool gguf = weights.size() == 1 && is_gguf(weights.front());
  std::optional<GgufHeader> header;
  if (gguf) header = read_gguf_header(directory / weights.front(), weights.front());
  if (!gguf && !configured) missing.emplace_back("config.json");
  if (!header || !header->texts.contains("tokenizer.ggml.model")) require_tokenizer(directory, "", missing);
  refuse_missing(directory, missing);
  const std::string architecture =
      configured ? configured_architecture(directory) : text_architecture(*header, weights.front());
  return described(directory, architecture, weights);
}

}  // namespace

ModelDirectory inspect_model_directory(const fs::path& directory) {
  std::error_code ignored;
  if (!fs::is_directory(directory, ignored)) {
    throw Error(RH_MODEL_NOT_FOUND, "model directory '" + directory.string() + "': no such directory");
  }
  const bool text_model = !file_present(directory / "model_index.json") &&
                          (file_present(directory / "config.json") || file_present(directory / "model.gguf"));
  return text_model ? inspect_text_model(directory) : inspect_pipeline(directory);
}

}  // namespace roundhouse::host
