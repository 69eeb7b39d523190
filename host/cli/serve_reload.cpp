// SPDX-License-Identifier: Apache-2.0
// Old settings beside new ones.
#include "host/cli/serve_reload.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "roundhouse/ext/log.h"

namespace roundhouse::host {
namespace {

const std::set<std::string>& live_settings() {
  static const std::set<std::string> keys = {"allowed_hosts", "allowed_origins", "trusted_proxies",
                                             "public_url",    "base_path",       "api_key_file",
                                             "engine",        "allowed_models",  "pinned"};
  return keys;
}

std::vector<std::string> without(const std::vector<std::string>& all, const std::vector<std::string>& those) {
  std::vector<std::string> rest;
  std::ranges::copy_if(all, std::back_inserter(rest),
                       [&](const std::string& one) { return std::ranges::find(those, one) == those.end(); });
  return rest;
}

}  // namespace

http::AccessPolicy access_policy(const ServeSettings& settings) {
  http::AccessPolicy policy;
  policy.remote = settings.allow_remote;
  policy.allowed_hosts = settings.allowed_hosts;
  policy.allowed_origins = settings.allowed_origins;
  policy.api_keys = settings.api_keys;
  policy.trusted_proxies = settings.trusted_proxies;
  policy.public_address = settings.public_address;
  policy.base_path = settings.base_path;
  if (settings.public_address)
    policy.allowed_hosts.push_back(http::host_name_of(settings.public_address->host));
  return policy;
}

ChangedSettings changed_settings(const ServeSettings& before, const ServeSettings& after) {
  ChangedSettings changed;
  for (const Setting& setting : serve_settings()) {
    const auto old = before.given.find(setting.key), fresh = after.given.find(setting.key);
    const bool was = old != before.given.end(), is = fresh != after.given.end();
    bool differs = was != is || (was && old->second != fresh->second);
    // The file of keys may hold others under the same name.
    if (setting.key == "api_key_file") differs = before.api_keys != after.api_keys;
    if (!differs) continue;
    (live_settings().contains(setting.key) ? changed.taken : changed.need_restart).push_back(setting.key);
  }
  return changed;
}

void take_settings(ServeSettings& current, const ServeSettings& fresh, AllowedModels& allowed, Daemon& daemon,
                   Log& log) {
  const ChangedSettings changed = changed_settings(current, fresh);
  Daemon::Reload reload;
  const bool remote = current.allow_remote;  // goes with the address, which stays
  reload.access = access_policy(fresh);
  reload.access.remote = remote;
  if (fresh.engine != current.engine) reload.engine = fresh.engine;
  reload.pinned = without(fresh.pool.pinned, current.pool.pinned);
  reload.unpinned = without(current.pool.pinned, fresh.pool.pinned);
  allowed.set(fresh.allowed_models);
  daemon.reload(reload);
  log.write(RH_LOG_INFO, "daemon", "settings read again",
            {{"changed", changed.taken}, {"need_restart", changed.need_restart}});
  // What waits for a restart stays different, and is told again the next time.
  for (const std::string& key : live_settings()) {
    current.given.erase(key);
    const auto given = fresh.given.find(key);
    if (given != fresh.given.end()) current.given[key] = given->second;
  }
  current.api_keys = fresh.api_keys;
  current.engine = fresh.engine;
  current.pool.pinned = fresh.pool.pinned;
}

}  // namespace roundhouse::host
