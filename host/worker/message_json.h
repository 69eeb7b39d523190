// SPDX-License-Identifier: Apache-2.0
// How messages are written as JSON and read again; for the .cpp files of protocols only.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "host/log/terminal_text.h"
#include "host/task/engine_option.h"
#include "host/text/json_text.h"
#include "host/worker/frame.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Found by nlohmann through the argument's namespace.
inline void to_json(nlohmann::json& json, const EngineOption& option) {
  json = nlohmann::json::array({option.name, nullptr});
  std::visit([&](const auto& value) { json[1] = value; }, option.value);
}
inline void from_json(const nlohmann::json& json, EngineOption& option) {
  option.name = json.at(0).get<std::string>();
  const nlohmann::json& value = json.at(1);
  if (value.is_boolean())
    option.value = value.get<bool>();
  else if (value.is_number_integer())
    option.value = value.get<std::int64_t>();
  else if (value.is_number())
    option.value = value.get<double>();
  else
    option.value = value.get<std::string>();
}

// Broken UTF-8 is replaced.
inline std::string message_text(const nlohmann::json& json) {
  return json_text(json);
}

// A path for the other end, which has to find it. Throws INVALID_ARGUMENT for one that JSON cannot hold.
inline std::string path_text(const std::filesystem::path& path) {
  if (is_utf8(path.string())) return path.string();
  throw Error(
      RH_INVALID_ARGUMENT,
      "path '" + terminal_text(path.string()) + "' is not valid UTF-8, as paths of engines and models are",
      "give it another name, or a symbolic link that has one");
}

// Parses and reads; every complaint of the JSON library becomes one kind of error.
template <typename Text, typename Read>
auto read_message(const Text& text, Read&& reader) {
  try {
    return reader(nlohmann::json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    throw FrameError(std::string("a message that cannot be read: ") + error.what());
  }
}

template <typename Value>
Value member(const nlohmann::json& json, const char* key) {
  return json.at(key).get<Value>();
}

}  // namespace roundhouse::host
