// SPDX-License-Identifier: Apache-2.0
#include "host/store/store_settings.h"

#include <nlohmann/json.hpp>

#include "host/store/small_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumSettingsBytes = 1 << 20;

nlohmann::json settings_of(const std::filesystem::path& file) {
  try {
    const auto text = read_small_file(file, file.string(), kMaximumSettingsBytes);
    return text ? parse_json_object(*text, file.string()) : nlohmann::json::object();
  } catch (const Error& error) {
    if (error.code() != RH_MODEL_INVALID) throw;
    throw Error(RH_INVALID_ARGUMENT, error.what());  // it is no model that is wrong
  }
}

}  // namespace

StoreSettings read_store_settings(const std::filesystem::path& root) {
  StoreSettings settings;
  if (root.empty()) return settings;
  const std::filesystem::path file = root / "config.json";
  const nlohmann::json json = settings_of(file);
  if (const auto value = json.find(kAutoPullSetting); value != json.end()) {
    if (!value->is_boolean())
      throw Error(RH_INVALID_ARGUMENT, file.string() + ": auto_pull: is a JSON " +
                                           std::string(value->type_name()) + ", expected true or false");
    settings.auto_pull = value->get<bool>();
  }
  return settings;
}

}  // namespace roundhouse::host
