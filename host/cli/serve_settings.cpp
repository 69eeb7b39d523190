// SPDX-License-Identifier: Apache-2.0
// One table of settings, read from three places.
#include "host/cli/serve_settings.h"

#include <nlohmann/json.hpp>
#include <sstream>

#include "host/cli/arguments.h"
#include "host/server/http/access.h"
#include "host/server/http/own_address.h"
#include "host/store/model_name.h"
#include "host/store/small_file.h"
#include "host/store/store_settings.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kLargestFile = std::size_t{1} << 20;

template <typename Number>
auto number(Number ServeSettings::*member, std::int64_t least, std::int64_t most) {
  return [=](ServeSettings& settings, const std::string& where, const std::string& value) {
    settings.*member = static_cast<Number>(parse_integer(where, value, least, most));
  };
}

auto pool_number(std::uint32_t PoolLimits::*member, std::int64_t least, std::int64_t most) {
  return [=](ServeSettings& settings, const std::string& where, const std::string& value) {
    settings.pool.*member = static_cast<std::uint32_t>(parse_integer(where, value, least, most));
  };
}

// 0 and "for ever" are the same to those that wait.
auto pool_time(std::chrono::milliseconds PoolLimits::*member) {
  return [=](ServeSettings& settings, const std::string& where, const std::string& value) {
    const KeepAlive time = parse_keep_alive(value, where);
    settings.pool.*member = time == kForever ? std::chrono::milliseconds(0) : time;
  };
}

auto append(std::vector<std::string> ServeSettings::*member) {
  return [=](ServeSettings& settings, const std::string&, const std::string& value) {
    (settings.*member).push_back(value);
  };
}

auto truth(bool ServeSettings::*member) {
  return [=](ServeSettings& settings, const std::string& where, const std::string& value) {
    if (value != "true" && value != "false" && value != "1" && value != "0") {
      throw Error(RH_INVALID_ARGUMENT, where + ": '" + value + "' is not known, expected true or false");
    }
    settings.*member = value == "true" || value == "1";
  };
}

void read_proxy(ServeSettings& settings, const std::string& where, const std::string& value) {
  if (!http::is_address_or_network(value)) {
    throw Error(RH_INVALID_ARGUMENT,
                where + ": '" + value + "' is not an address or a network, expected such as 10.0.0.0/8");
  }
  settings.trusted_proxies.push_back(value);
}

void read_public_url(ServeSettings& settings, const std::string& where, const std::string& value) {
  http::parse_public_url(where, value);
  settings.public_url = value;
}

void read_keys(ServeSettings& settings, const std::string& where, const std::string& file) {
  for (std::string& key : read_api_keys(where, file))
    settings.api_keys.push_back(std::move(key));
}

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
  if (setting.kind == Setting::Kind::list) {
    // A nearer place replaces the whole list.
    if (setting.key == "allowed_hosts") settings.allowed_hosts.clear();
    if (setting.key == "allowed_origins") settings.allowed_origins.clear();
    if (setting.key == "trusted_proxies") settings.trusted_proxies.clear();
    if (setting.key == "allowed_models") settings.allowed_models.clear();
    if (setting.key == "pinned") settings.pool.pinned.clear();
  }
  if (setting.key == "api_key_file") settings.api_keys.clear();
  for (const std::string& value : values)
    setting.set(settings, where, value);
  settings.given[setting.key] = values;
}

std::vector<std::string> texts_of(const nlohmann::json& value, const Setting& setting,
                                  const std::string& where) {
  const auto text = [](const nlohmann::json& one) {
    return one.is_string() ? one.get<std::string>()
                           : one.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  };
  if (setting.kind == Setting::Kind::list) {
    if (!value.is_array()) throw Error(RH_INVALID_ARGUMENT, where + ": is not a list of texts");
    std::vector<std::string> texts;
    for (const nlohmann::json& one : value)
      texts.push_back(text(one));
    return texts;
  }
  if (value.is_structured() || value.is_null()) {
    throw Error(RH_INVALID_ARGUMENT,
                where + ": " + value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
                    " is not a value");
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

void check_address(ServeSettings& settings) {
  if (settings.host == "localhost") settings.host = "127.0.0.1";
  const std::string name =
      settings.host.find(':') == std::string::npos ? settings.host : "[" + settings.host + "]";
  if (http::is_loopback_name(name) || settings.allow_remote) return;
  throw Error(RH_INVALID_ARGUMENT,
              "host: '" + settings.host + "' can be reached by other machines, which was not allowed",
              "add --allow-remote, and --api-key-file unless everybody there may use this server");
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

const std::vector<Setting>& serve_settings() {
  using Kind = Setting::Kind;
  using S = ServeSettings;
  static const std::vector<Setting> all = {
      {"host", "--host", "ADDRESS", "Listen on this address [default: 127.0.0.1]", Kind::text,
       [](S& settings, const std::string&, const std::string& value) { settings.host = value; }},
      {"port", "--port", "N", "Listen on this port, 0 to 65535; 0 takes a free one [default: 11435]",
       Kind::text, number(&S::port, 0, 65535)},
      {"allow_remote", "--allow-remote", "", "Permit a --host that other machines can reach", Kind::truth,
       truth(&S::allow_remote)},
      {"allowed_hosts", "--allow-host", "NAME",
       "Also answer requests that call this server so (repeatable; always: localhost)", Kind::list,
       append(&S::allowed_hosts)},
      {"allowed_origins", "--allow-origin", "ORIGIN",
       "Let web pages of this origin ask, such as https://app.example, or * (repeatable)", Kind::list,
       append(&S::allowed_origins)},
      {"trusted_proxies", "--trust-proxy", "ADDRESS",
       "Believe what a proxy at this address or network says of its clients' address (repeatable; always: "
       "this "
       "machine)",
       Kind::list, read_proxy},
      {"public_url", "--public-url", "URL",
       "Clients reach this server at URL, such as https://studio.example/pictures [default: as they ask]",
       Kind::text, read_public_url},
      {"api_key_file", "--api-key-file", "FILE",
       "Ask for one of the keys in FILE, one a line; ROUNDHOUSE_API_KEY is one key [default: none]",
       Kind::text, read_keys},
      {"engine", "--engine", "ID", "The engine of requests that name none [default: auto]", Kind::text,
       [](S& settings, const std::string&, const std::string& value) { settings.engine = value; }},
      {"keep_alive", "--keep-alive", "TIME",
       "How long an unused model stays loaded: 300, 5m, 0 (not at all) or -1 (for ever) [default: 5m]",
       Kind::text,
       [](S& settings, const std::string& where, const std::string& value) {
         settings.pool.keep_alive = parse_keep_alive(value, where);
       }},
      {"max_loaded", "--max-loaded", "N", "Loaded models at most, 1 to 64 [default: 3]", Kind::text,
       pool_number(&PoolLimits::max_loaded, 1, 64)},
      {"max_active", "--max-active", "N",
       "Requests at work at once, 0 to 64; 0 is as many as models are loaded [default: 0]", Kind::text,
       pool_number(&PoolLimits::max_active, 0, 64)},
      {"parallel", "--parallel", "N", "Workers of one model, 1 to 16 [default: 1]", Kind::text,
       pool_number(&PoolLimits::parallel, 1, 16)},
      {"queue", "--queue", "N", "Requests that may wait, 0 to 100000; more get 503 [default: 64]", Kind::text,
       pool_number(&PoolLimits::queue, 0, 100'000)},
      {"memory_limit", "--memory-limit", "SIZE",
       "For all models together, such as 10GB [default: what is available]", Kind::text,
       [](S& settings, const std::string& where, const std::string& value) {
         settings.pool.memory_bytes = parse_bytes(where, value);
       }},
      {"allowed_models", "--allow-model", "PATTERN",
       "A model that clients may use and see; * stands for any letters (repeatable) [default: all]",
       Kind::list,
       [](S& settings, const std::string&, const std::string& value) {
         settings.allowed_models.push_back(value);
       }},
      {"pinned", "--pin", "MODEL", "A model that stays once it is loaded (repeatable, at most --max-loaded)", Kind::list,
       [](S& settings, const std::string&, const std::string& value) {
         settings.pool.pinned.push_back(plain_model_name(value));
       }},
      {"load_timeout", "--load-timeout", "TIME",
       "How long loading may show no sign of life; 0 is for ever [default: 5m]", Kind::text,
       pool_time(&PoolLimits::load_timeout)},
      {"silence_timeout", "--silence-timeout", "TIME",
       "How long an engine at work may show no sign of life; 0 is for ever [default: 5m]", Kind::text,
       pool_time(&PoolLimits::silence_timeout)},
      {"threads", "--threads", "N", "Threads of each worker, 1 to 1024 [default: all processors]", Kind::text,
       number(&S::threads, 1, 1024)},
      {"connections", "--connections", "N", "Open connections at most, 1 to 100000 [default: 1024]",
       Kind::text, number(&S::connections, 1, 100'000)},
      {"stop_timeout", "--stop-timeout", "TIME",
       "How long running requests may go on when the daemon ends; then they are cancelled [default: 10s]",
       Kind::text,
       [](S& settings, const std::string& where, const std::string& value) {
         const KeepAlive time = parse_keep_alive(value, where);
         settings.stop_time = time == kForever ? std::chrono::hours(24) : time;
       }},
      {"fit_sizes", "--fit-sizes", "BOOL",
       "Whether sizes that clients of OpenAI and the web UI send by habit become ones that the default model "
       "can draw [default: true]",
       Kind::text, truth(&S::fit_sizes)},
      {"log_file", "", "FILE", "", Kind::text,
       [](S& settings, const std::string&, const std::string& value) { settings.log_file = value; }},
      {"log_prompts", "--log-prompts", "", "Write prompts into the log", Kind::truth, truth(&S::log_prompts)},
  };
  return all;
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
  check_address(settings);
  return settings;
}

}  // namespace roundhouse::host
