// SPDX-License-Identifier: Apache-2.0
// generation_config.json, as transformers writes it.
#include <nlohmann/json.hpp>

#include "host/session/text_session.h"
#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

constexpr const char* kFile = "generation_config.json";

std::optional<double> number_in(const nlohmann::json& json, const char* key, double minimum, double maximum) {
  const auto value = json.find(key);
  if (value == json.end() || !value->is_number()) return std::nullopt;
  const auto number = value->get<double>();
  if (!(number >= minimum && number <= maximum)) return std::nullopt;
  return number;
}

// One id, or several.
std::vector<std::int32_t> ids_in(const nlohmann::json& json, const char* key) {
  std::vector<std::int32_t> ids;
  const auto add = [&](const nlohmann::json& id) {
    if (id.is_number_integer() && id >= 0 && id <= INT32_MAX) ids.push_back(id.get<std::int32_t>());
  };
  const auto value = json.find(key);
  if (value == json.end()) return ids;
  if (!value->is_array()) add(*value);
  for (const auto& id : value->is_array() ? *value : nlohmann::json::array())
    add(id);
  return ids;
}

}  // namespace

// A value out of range is one that nobody could ask for: it is left out.
SamplingDefaults sampling_defaults(const std::filesystem::path& directory) {
  SamplingDefaults defaults;
  const auto text = read_small_file(directory / kFile, kFile, 1 << 20);
  if (!text) return defaults;
  const auto json = parse_json_object(*text, kFile);
  defaults.temperature = number_in(json, "temperature", 0, 100);
  defaults.top_p = number_in(json, "top_p", 1e-9, 1);
  defaults.min_p = number_in(json, "min_p", 0, 1);
  defaults.typical_p = number_in(json, "typical_p", 1e-9, 1);
  defaults.repetition_penalty = number_in(json, "repetition_penalty", 1e-9, 10);
  if (const auto top_k = number_in(json, "top_k", 0, INT32_MAX))
    defaults.top_k = static_cast<std::uint32_t>(*top_k);
  if (const auto most = number_in(json, "max_new_tokens", 1, INT32_MAX))
    defaults.max_tokens = static_cast<std::uint32_t>(*most);
  defaults.end_tokens = ids_in(json, "eos_token_id");
  const auto samples = json.find("do_sample");
  if (samples != json.end() && samples->is_boolean() && !samples->get<bool>()) defaults.temperature = 0;
  return defaults;
}

}  // namespace roundhouse::host
