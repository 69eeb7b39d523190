// SPDX-License-Identifier: Apache-2.0
// What is here, and what works, in Ollama's words.
#include "host/server/ollama/entries.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/server/ollama/clock.h"
#include "host/server/ollama/reference.h"
#include "host/store/digest.h"
#include "host/store/model_files.h"
#include "host/store/model_json.h"
#include "host/store/weight_files.h"
#include "host/text/json_text.h"

namespace roundhouse::host::ollama {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

// Expiry of what stays for ever, as Ollama shows it: far away.
constexpr std::chrono::hours kFarAway{24 * 365 * 100};

std::chrono::system_clock::time_point system_time(fs::file_time_type time) {
  return std::chrono::time_point_cast<std::chrono::system_clock::duration>(
      std::chrono::file_clock::to_sys(time));
}

// What tells one state of a directory from another without reading its weights.
void look_at_directory(Listed& model) {
  std::string listing;
  fs::file_time_type newest = fs::file_time_type::min();
  for (const SourceFile& file : model_files(model.directory)) {
    std::error_code ignored;
    const fs::file_time_type time = fs::last_write_time(file.file, ignored);
    listing += fmt::format("{}\n{}\n{}\n", file.path, file.size, time.time_since_epoch().count());
    newest = std::max(newest, time);
    model.bytes += file.size;
  }
  model.digest = sha256(listing).hex();
  model.modified_at = time_text(system_time(newest));
  const ModelDirectory inspected = inspect_model_directory(model.directory);
  model.architecture = inspected.architecture;
  model.weight_format = inspected.weight_format;
  model.dtypes = inspected.dtypes;
}

void look_at_stored(Listed& model, const Store& store) {
  const ModelManifest manifest = store.manifest(*model.stored);
  const ModelConfig config = store.config(*model.stored, manifest);
  model.digest = model.stored->digest.hex();
  model.modified_at = model.stored->created.empty() ? "1970-01-01T00:00:00Z" : model.stored->created;
  model.bytes = manifest.bytes;
  model.architecture = config.architecture;
  model.weight_format = config.weight_format;
  model.dtypes = config.dtypes;
}

Listed look(const ModelCatalogue::Entry& entry, const Store& store) {
  Listed model;
  model.spec = entry.spec;
  model.directory = entry.directory;
  if (entry.stored) {
    model.stored = store.get(ModelName::parse(entry.spec.name));
    look_at_stored(model, store);
  } else {
    look_at_directory(model);
  }
  return model;
}

// "BF16", "Q4_K": the type of most weights; the quantised one where there is one.
std::string quantization_level(const std::vector<std::string>& dtypes) {
  std::string level;
  for (const std::string& dtype : dtypes) {
    if (level.empty() || dtype.starts_with("q")) level = dtype;
  }
  std::transform(level.begin(), level.end(), level.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return level;
}

}  // namespace

std::vector<Listed> listed_models(const Services& services) {
  const ModelCatalogue catalogue = services.models();
  const Store store(services.store_root);
  std::vector<Listed> models;
  for (const ModelCatalogue::Entry& entry : catalogue.entries()) {
    if (!entry.present || entry.problem) continue;
    try {
      models.push_back(look(entry, store));
    } catch (const Error&) {
      continue;  // damaged, or taken away meanwhile; asking for it by name says why
    }
  }
  return models;
}

Listed listed_model(const Services& services, const std::string& name) {
  const ModelCatalogue catalogue = services.models();
  const std::string canonical = ModelName::try_parse(name) ? ModelName::parse(name).text() : name;
  for (const ModelCatalogue::Entry& entry : catalogue.entries()) {
    if (entry.spec.name != canonical) continue;
    if (entry.problem) throw Error(*entry.problem);
    if (entry.present) return look(entry, Store(services.store_root));
  }
  if (name.find('/') == std::string::npos) catalogue.resolve(name);  // says what there is, and what to do
  throw Error(RH_MODEL_NOT_FOUND, "model '" + name + "' was not found");
}

std::vector<std::string> model_capabilities(const std::string& architecture) {
  if (makes_images(architecture)) return {"image"};
  return {"completion"};
}

Json model_details(const Listed& model) {
  Json details;
  details["parent_model"] = "";
  details["format"] = model.weight_format;
  details["family"] = model.architecture;
  details["families"] = Json::array({model.architecture});
  details["parameter_size"] = "";
  details["quantization_level"] = quantization_level(model.dtypes);
  return details;
}

Json model_entry(const Listed& model) {
  Json entry;
  entry["name"] = tagged(model.spec.name);
  entry["model"] = tagged(model.spec.name);
  entry["modified_at"] = model.modified_at;
  entry["size"] = model.bytes;
  entry["digest"] = model.digest;
  entry["details"] = model_details(model);
  entry["capabilities"] = model_capabilities(model.architecture);
  return entry;
}

Json running_entry(const Resident& resident) {
  Json entry;
  const std::string name = resident.has_model ? tagged(resident.name) : "+" + resident.engine;
  entry["name"] = name;
  entry["model"] = name;
  entry["size"] = resident.resident_bytes > 0 ? resident.resident_bytes : resident.estimated_bytes;
  entry["digest"] = resident.digest.starts_with("sha256:") ? resident.digest.substr(7) : resident.digest;
  entry["details"] = {{"parent_model", ""},
                      {"format", ""},
                      {"family", resident.architecture},
                      {"families", Json::array({resident.architecture})},
                      {"parameter_size", ""},
                      {"quantization_level", ""}};
  entry["expires_at"] = time_text(resident.expires_at.value_or(std::chrono::system_clock::now() + kFarAway));
  entry["size_vram"] = 0;
  entry["context_length"] = 0;
  entry["engine"] = resident.engine;
  entry["device"] = resident.device;
  entry["state"] = state_name(resident.state);
  entry["pinned"] = resident.pinned;
  entry["requests"] = resident.requests;
  entry["estimated_bytes"] = resident.estimated_bytes;
  entry["process"] = resident.process;
  return entry;
}

Json model_info(const Listed& model) {
  Json info;
  info["general.architecture"] = model.architecture;
  info["general.name"] = model.spec.title.empty() ? model.spec.name : model.spec.title;
  if (!model.spec.license.empty()) info["general.license"] = model.spec.license;
  info["general.size_bytes"] = model.bytes;
  if (makes_images(model.architecture)) {
    info["image.size.minimum"] = model.spec.size.minimum;
    info["image.size.maximum"] = model.spec.size.maximum;
    info["image.size.multiple_of"] = model.spec.size.multiple_of;
  }
  return info;
}

void send_json(http::Exchange& exchange, const Json& json) {
  exchange.send(200, http::kJson, json_text(json) + "\n");
}

}  // namespace roundhouse::host::ollama
