// SPDX-License-Identifier: Apache-2.0
// The settings of `roundhouse serve`: flags over environment over the configuration file over defaults.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/cli/flags.h"
#include "host/residency/pool.h"
#include "host/server/http/access.h"
#include "host/server/http/listen.h"

namespace roundhouse::host {

struct ServeSettings {
  std::string host = "127.0.0.1";
  std::uint16_t port = 11435;
  bool address_given = false;             // host or port was
  std::vector<http::ListenPlace> listen;  // all places, host and port among them where they count
  unsigned socket_mode = 0600;            // of Unix sockets
  bool allow_remote = false;
  std::vector<std::string> allowed_hosts, allowed_origins, trusted_proxies;
  std::optional<http::OwnAddress> public_address;
  std::string base_path;
  std::vector<std::string> api_keys;
  std::vector<std::string> allowed_models;  // patterns; empty: all
  std::string engine = "auto";
  PoolLimits pool;
  std::uint32_t threads = 0;  // 0 = all
  std::size_t connections = 1024;
  std::chrono::milliseconds stop_time{10'000};
  std::optional<std::filesystem::path> log_file;
  bool log_prompts = false;
  bool fit_sizes = true;
  std::map<std::string, std::vector<std::string>> given;  // what was set, by key, as it was written
};

// One setting in its three spellings: key of the file, flag, ROUNDHOUSE_KEY in the environment.
struct Setting {
  std::string key, flag, type, help;
  enum class Kind { text, list, truth } kind = Kind::text;
  // `where` names the spelling that was used, in messages.
  std::function<void(ServeSettings&, const std::string& where, const std::string& value)> set;
  std::function<void(ServeSettings&)> clear = {};  // of lists
};
const std::vector<Setting>& serve_settings();
std::string setting_variable(const Setting& setting);  // its name in the environment

// What was typed, by key.
struct ServeFlags {
  std::map<std::string, std::optional<std::string>> texts;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, bool> truths;
  std::optional<std::string> config;  // --config
  bool log_here = false;              // --log-to-home
};
void declare_serve_flags(FlagTable& command, ServeFlags& flags);

// One key a line; empty lines and those that begin with # are none. Throws IO_ERROR, INVALID_ARGUMENT where
// there is none; `where` begins the message.
std::vector<std::string> read_api_keys(const std::string& where, const std::string& file);

// Reads `config` (a missing one is an error where `flags` names it), environment and flags, and takes the
// sockets that a service manager has opened. Throws
// UNKNOWN_OPTION for an unknown key, INVALID_ARGUMENT for a value naming where it was found, or for an
// address that others can reach without allow_remote.
ServeSettings read_serve_settings(
    const ServeFlags& flags, const std::filesystem::path& config,
    const std::function<std::optional<std::string>(const std::string&)>& environment);

}  // namespace roundhouse::host
