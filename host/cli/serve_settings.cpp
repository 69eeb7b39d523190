// SPDX-License-Identifier: Apache-2.0
// One table of settings, read from three places.
#include "host/cli/serve_settings.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "host/cli/arguments.h"
#include "host/cli/service_manager.h"
#include "host/server/http/access.h"
#include "host/store/small_file.h"
#include "host/store/store_settings.h"
#include "host/text/json_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) {
    if (!part.empty()) parts.push_back(part);
  }
  return parts;
}

void apply(const Setting& setting, ServeSettings& settings, const std::string& where,
           const std::vector<std::string>& values) {
  if (setting.clear) setting.clear(settings);  // a nearer place replaces the whole list
  for (const std::string& value : values)
    setting.set(settings, where, value);
  settings.given[setting.key] = values;
}

std::vector<std::string> texts_of(const nlohmann::json& value, const Setting& setting,
                                  const std::string& where) {
  const auto text = [](const nlohmann::json& one) {
    return one.is_string() ? one.get<std::string>() : json_text(one);
  };
  if (setting.kind == Setting::Kind::list) {
    if (!value.is_array()) throw Error(RH_INVALID_ARGUMENT, where + ": is not a list of texts");
    std::vector<std::string> texts;
    for (const nlohmann::json& one : value)
      texts.push_back(text(one));
    return texts;
  }
  if (value.is_structured() || value.is_null()) {
    throw Error(RH_INVALID_ARGUMENT, where + ": " + json_text(value) + " is not a value");
  }
  return {text(value)};
}

const Setting* find_setting(const std::string& key) {
  for (const Setting& setting : serve_settings()) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

void read_file(ServeSettings& settings, const std::filesystem::path& file, bool must_exist) {
  const std::string shown = "configuration file '" + file.string() + "'";
  const auto text = read_small_file(file, shown, kLargestFile);
  if (!text && must_exist) throw Error(RH_IO_ERROR, shown + " does not exist");
  if (!text) return;
  nlohmann::json object;
  try {
    object = parse_json_object(*text, shown);
  } catch (const Error& error) {
    throw Error(RH_INVALID_ARGUMENT, error.what(), "docs/config.example.json shows what it may hold");
  }
  for (const auto& [key, value] : object.items()) {
    if (key == kAutoPullSetting) continue;  // of `generate`; the daemon fetches nothing by itself
    const Setting* setting = find_setting(key);
    if (setting == nullptr) {
      throw Error(RH_UNKNOWN_OPTION, shown + ": key '" + key + "' is not known",
                  "docs/config.example.json shows all keys");
    }
    const std::string where = shown + ": " + key;
    apply(*setting, settings, where, texts_of(value, *setting, where));
  }
}

void check_place(const http::ListenPlace& place, const ServeSettings& settings) {
  if (place.host.empty() || settings.allow_remote) return;
  const std::string name = place.host.find(':') == std::string::npos ? place.host : "[" + place.host + "]";
  if (http::is_loopback_name(name)) return;
  throw Error(RH_INVALID_ARGUMENT,
              "host: '" + place.host + "' can be reached by other machines, which was not allowed",
              "add --allow-remote, and --api-key-file unless everybody there may use this server");
}

// Where it listens, and that no other machine gets there unless it was allowed.
void settle_places(ServeSettings& settings) {
  if (settings.address_given || settings.listen.empty())
    settings.listen.insert(settings.listen.begin(), http::tcp_place(settings.host, settings.port));
  for (http::ListenPlace& place : settings.listen) {
    place.mode = settings.socket_mode;
    check_place(place, settings);
  }
}

}  // namespace

std::string setting_variable(const Setting& setting) {
  std::string name = "ROUNDHOUSE_" + setting.key;
  for (char& c : name) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return name;
}

std::vector<std::string> read_api_keys(const std::string& where, const std::string& file) {
  const auto text = read_small_file(file, where + ": '" + file + "'", kLargestFile);
  if (!text) throw Error(RH_IO_ERROR, where + ": '" + file + "' does not exist");
  std::vector<std::string> keys;
  std::istringstream lines(*text);
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == '\r' || line.back() == ' '))
      line.pop_back();
    if (!line.empty() && line.front() != '#') keys.push_back(line);
  }
  if (keys.empty()) throw Error(RH_INVALID_ARGUMENT, where + ": '" + file + "' holds no key");
  return keys;
}

void declare_serve_flags(FlagTable& command, ServeFlags& flags) {
  for (const Setting& setting : serve_settings()) {
    if (setting.flag.empty()) continue;
    if (setting.kind == Setting::Kind::truth) {
      command.add(setting.flag, setting.help, &flags.truths[setting.key]);
    } else if (setting.kind == Setting::Kind::list) {
      command.add(setting.flag, setting.type, setting.help, &flags.lists[setting.key]);
    } else {
      command.add(setting.flag, setting.type, setting.help, &flags.texts[setting.key]);
    }
  }
  command.add("--config", "FILE",
              "Read settings from FILE [default: config.json in the home, where there is one]",
              &flags.config);
  command.add("--log-to-home", "Append the log to logs/daemon.log in the home", &flags.log_here);
}

ServeSettings read_serve_settings(
    const ServeFlags& flags, const std::filesystem::path& config,
    const std::function<std::optional<std::string>(const std::string&)>& environment) {
  ServeSettings settings;
  if (!config.empty()) read_file(settings, config, flags.config.has_value());
  for (const Setting& setting : serve_settings()) {
    const std::string name = setting_variable(setting);
    const auto value = environment(name);
    if (!value || value->empty()) continue;
    apply(setting, settings, name,
          setting.kind == Setting::Kind::list ? split(*value) : std::vector<std::string>{*value});
  }
  for (const Setting& setting : serve_settings()) {
    const auto text = flags.texts.find(setting.key);
    if (text != flags.texts.end() && text->second) apply(setting, settings, setting.flag, {*text->second});
    const auto list = flags.lists.find(setting.key);
    if (list != flags.lists.end() && !list->second.empty())
      apply(setting, settings, setting.flag, list->second);
    const auto truth = flags.truths.find(setting.key);
    if (truth != flags.truths.end() && truth->second) apply(setting, settings, setting.flag, {"true"});
  }
  const auto key = environment("ROUNDHOUSE_API_KEY");
  if (key && !key->empty()) settings.api_keys.push_back(*key);
  for (http::ListenPlace& place : inherited_places(environment))
    settings.listen.push_back(std::move(place));
  settle_places(settings);
  return settings;
}

}  // namespace roundhouse::host
