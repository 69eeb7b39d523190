// SPDX-License-Identifier: Apache-2.0
// Models as Ollama's clients list them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "host/server/http/exchange.h"
#include "host/server/services.h"
#include "host/store/model_catalogue.h"
#include "host/store/store.h"

namespace roundhouse::host::ollama {

// A model that is here and can be used.
struct Listed {
  ModelSpec spec;
  std::filesystem::path directory;
  std::string digest;       // 64 digits: of the manifest, or of a directory's file names, sizes and times
  std::string modified_at;  // RFC 3339
  std::uint64_t bytes = 0;
  std::string architecture, weight_format;
  std::vector<std::string> dtypes;
  std::optional<StoredModel> stored;
};

// All of them by name. What cannot be read is left out, as those who cannot be used are.
std::vector<Listed> listed_models(const Services& services);
// Throws MODEL_NOT_FOUND, and what is wrong with a model that is there and damaged.
Listed listed_model(const Services& services, const std::string& name);

// {"name", "model", "modified_at", "size", "digest", "details", "capabilities"}
nlohmann::ordered_json model_entry(const Listed& model);
nlohmann::ordered_json model_details(const Listed& model);
// "image" for a model that makes images, "completion" for one that writes.
std::vector<std::string> model_capabilities(const std::string& architecture);
// A worker: {"name", ..., "expires_at", "size_vram", "context_length"} and engine, device, state, process.
nlohmann::ordered_json running_entry(const Resident& resident);

// Numbers of a model as GGUF names them: {"general.architecture": ...}.
nlohmann::ordered_json model_info(const Listed& model);

// Answers 200 with JSON on one line.
void send_json(http::Exchange& exchange, const nlohmann::ordered_json& json);

}  // namespace roundhouse::host::ollama
