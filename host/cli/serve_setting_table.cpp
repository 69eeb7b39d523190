// SPDX-License-Identifier: Apache-2.0
// The settings of the daemon as tables: each row has the three spellings, what --help says, and where the
// value goes.
#include <charconv>

#include "host/cli/arguments.h"
#include "host/cli/serve_settings.h"
#include "host/server/http/access.h"
#include "host/server/http/own_address.h"
#include "host/store/model_name.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

using Kind = Setting::Kind;
using S = ServeSettings;
using Rows = std::vector<Setting>;

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

// A row of a list of texts.
Setting list(const char* key, const char* flag, const char* type, const char* help,
             std::vector<std::string> ServeSettings::*member) {
  return {key,
          flag,
          type,
          help,
          Kind::list,
          [=](ServeSettings& settings, const std::string&, const std::string& value) {
            (settings.*member).push_back(value);
          },
          [=](ServeSettings& settings) { (settings.*member).clear(); }};
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
  settings.public_address = http::parse_public_url(where, value);
}

void read_keys(ServeSettings& settings, const std::string& where, const std::string& file) {
  for (std::string& key : read_api_keys(where, file))
    settings.api_keys.push_back(std::move(key));
}

void read_base_path(ServeSettings& settings, const std::string& where, const std::string& value) {
  settings.base_path = http::parse_base_path(where, value);
}

void read_listen(ServeSettings& settings, const std::string& where, const std::string& value) {
  settings.listen.push_back(http::parse_listen_place(where, value));
}

void read_mode(ServeSettings& settings, const std::string& where, const std::string& value) {
  const char* end = value.data() + value.size();
  const auto [stopped, error] = std::from_chars(value.data(), end, settings.socket_mode, 8);
  if (error == std::errc() && stopped == end && settings.socket_mode <= 0777) return;
  throw Error(RH_INVALID_ARGUMENT, where + ": '" + value + "' is not a file mode, expected one like 0660");
}

void read_host(ServeSettings& settings, const std::string&, const std::string& value) {
  settings.host = value;
  settings.address_given = true;
}

void read_port(ServeSettings& settings, const std::string& where, const std::string& value) {
  number(&S::port, 0, 65535)(settings, where, value);
  settings.address_given = true;
}

void read_keep_alive(ServeSettings& settings, const std::string& where, const std::string& value) {
  settings.pool.keep_alive = parse_keep_alive(value, where);
}

void read_memory(ServeSettings& settings, const std::string& where, const std::string& value) {
  constexpr std::uint64_t kLeast = 16 << 20;  // an engine's process takes that much by itself
  const std::uint64_t bytes = parse_bytes(where, value);
  if (bytes < kLeast)
    throw Error(RH_INVALID_ARGUMENT,
                where + ": '" + value + "' holds no model, expected 16MiB or more, such as 10GB");
  settings.pool.memory_bytes = bytes;
}

void read_pin(ServeSettings& settings, const std::string&, const std::string& value) {
  settings.pool.pinned.push_back(plain_model_name(value));
}

void read_stop_time(ServeSettings& settings, const std::string& where, const std::string& value) {
  const KeepAlive time = parse_keep_alive(value, where);
  settings.stop_time = time == kForever ? std::chrono::hours(24) : time;
}

void read_engine(ServeSettings& settings, const std::string&, const std::string& value) {
  settings.engine = value;
}

void read_log_file(ServeSettings& settings, const std::string&, const std::string& value) {
  settings.log_file = value;
}

Rows address_rows() {
  return {
      {"host", "--host", "ADDRESS", "Listen on this address [default: 127.0.0.1]", Kind::text, read_host},
      {"port", "--port", "N", "Listen on this port, 0 to 65535; 0 takes a free one [default: 11435]",
       Kind::text, read_port},
      {"listen", "--listen", "PLACE",
       "Listen at ADDRESS:PORT or unix:/path/of/a/socket (repeatable) [default: what --host and --port say]",
       Kind::list, read_listen, [](S& settings) { settings.listen.clear(); }},
      {"socket_mode", "--socket-mode", "MODE", "Who may use the file of a Unix socket [default: 0600]",
       Kind::text, read_mode},
      {"allow_remote", "--allow-remote", "", "Permit addresses that other machines can reach", Kind::truth,
       truth(&S::allow_remote)},
      list("allowed_hosts", "--allow-host", "NAME",
           "Also answer requests that call this server so (repeatable; always: localhost)",
           &S::allowed_hosts),
      list("allowed_origins", "--allow-origin", "ORIGIN",
           "Let web pages of this origin ask, such as https://app.example, or * (repeatable)",
           &S::allowed_origins),
      {"trusted_proxies", "--trust-proxy", "ADDRESS",
       "Believe what a proxy at this address or network says of its clients' address and scheme, and of the "
       "host where --allow-host names it (repeatable; always: this machine)",
       Kind::list, read_proxy, [](S& settings) { settings.trusted_proxies.clear(); }},
      {"public_url", "--public-url", "URL",
       "Clients reach this server at URL, such as https://studio.example/images [default: as they ask]",
       Kind::text, read_public_url},
      {"base_path", "--base-path", "PATH", "Answer below this path, too, such as /roundhouse [default: none]",
       Kind::text, read_base_path},
      {"api_key_file", "--api-key-file", "FILE",
       "Ask for one of the keys in FILE, one a line; ROUNDHOUSE_API_KEY is one key [default: none]",
       Kind::text, read_keys, [](S& settings) { settings.api_keys.clear(); }},
  };
}

Rows model_rows() {
  return {
      {"engine", "--engine", "ID", "The engine of requests that name none [default: auto]", Kind::text,
       read_engine},
      {"keep_alive", "--keep-alive", "TIME",
       "How long an unused model stays loaded: 300, 5m, 0 (not at all) or -1 (for ever) [default: 5m]",
       Kind::text, read_keep_alive},
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
       "For all models together, such as 10GB [default: what is available]", Kind::text, read_memory},
      list("allowed_models", "--allow-model", "PATTERN",
           "A model that clients may use and see; * stands for any letters (repeatable) [default: all]",
           &S::allowed_models),
      {"pinned", "--pin", "MODEL", "A model that stays once it is loaded (repeatable, at most --max-loaded)",
       Kind::list, read_pin, [](S& settings) { settings.pool.pinned.clear(); }},
  };
}

Rows process_rows() {
  return {
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
       Kind::text, read_stop_time},
      {"fit_sizes", "--fit-sizes", "BOOL",
       "Whether sizes that clients of OpenAI and the web UI send by habit become ones that the default model "
       "can draw [default: true]",
       Kind::text, truth(&S::fit_sizes)},
      {"log_file", "", "FILE", "", Kind::text, read_log_file},
      {"log_prompts", "--log-prompts", "", "Write prompts into the log", Kind::truth, truth(&S::log_prompts)},
  };
}

}  // namespace

const std::vector<Setting>& serve_settings() {
  static const Rows all = [] {
    Rows rows;
    for (const Rows& some : {address_rows(), model_rows(), process_rows()})
      rows.insert(rows.end(), some.begin(), some.end());
    return rows;
  }();
  return all;
}

}  // namespace roundhouse::host
