// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_credentials.h"

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "host/sources/credential_helper.h"
#include "host/store/small_file.h"
#include "host/transport/base64.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaximumFileBytes = 1 << 20;
constexpr const char* kDockerHub = "https://index.docker.io/v1/";  // as helpers know it

std::optional<std::string> filled(const EnvironmentLookup& environment, const char* name) {
  auto value = environment(name);
  return value && !value->empty() ? value : std::nullopt;
}

std::optional<RegistryCredentials> from_environment(const EnvironmentLookup& environment) {
  const auto username = filled(environment, "ROUNDHOUSE_REGISTRY_USERNAME");
  const auto password = filled(environment, "ROUNDHOUSE_REGISTRY_PASSWORD");
  if (username.has_value() != password.has_value())
    throw Error(RH_INVALID_ARGUMENT,
                "environment: only one of ROUNDHOUSE_REGISTRY_USERNAME and ROUNDHOUSE_REGISTRY_PASSWORD is "
                "set, expected both or none");
  if (!username) return std::nullopt;
  return RegistryCredentials{*username, *password};
}

std::vector<fs::path> credential_files(const EnvironmentLookup& environment) {
  std::vector<fs::path> files;
  const auto add = [&](const char* variable, const char* file) {
    if (const auto directory = filled(environment, variable)) files.push_back(fs::path(*directory) / file);
  };
  if (const auto file = filled(environment, "REGISTRY_AUTH_FILE")) files.emplace_back(*file);
  add("XDG_RUNTIME_DIR", "containers/auth.json");
  add("XDG_CONFIG_HOME", "containers/auth.json");
  add("HOME", ".config/containers/auth.json");
  add("DOCKER_CONFIG", "config.json");
  add("HOME", ".docker/config.json");
  return files;
}

// Keys under which the registry may be known, the best first.
std::vector<std::string> keys_of(const RegistryReference& reference) {
  std::vector<std::string> keys;
  std::string path = reference.registry + "/" + reference.repository;
  for (;;) {
    keys.push_back(path);
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) break;
    path.resize(slash);
  }
  if (reference.registry == "docker.io" || reference.registry == "index.docker.io")
    keys.insert(keys.end(), {"docker.io", "index.docker.io"});
  return keys;
}

// A key as Docker wrote it once: "https://index.docker.io/v1/".
std::string without_address(const std::string& key) {
  const std::size_t scheme = key.find("://");
  if (scheme == std::string::npos) return key;
  const std::string rest = key.substr(scheme + 3);
  return rest.substr(0, rest.find('/'));
}

// The member of the object that is meant by one of the keys, or null.
const json* lookup(const json& root, const char* member, const std::vector<std::string>& keys) {
  const auto object = root.find(member);
  if (object == root.end() || !object->is_object()) return nullptr;
  for (const std::string& key : keys) {
    for (const auto& [name, value] : object->items()) {
      if (without_address(name) == key) return &value;
    }
  }
  return nullptr;
}

RegistryCredentials decoded(const json& entry, const std::string& shown) {
  const auto text = entry.find("auth");
  const auto plain = text != entry.end() && text->is_string()
                         ? base64_decoded(text->get_ref<const std::string&>())
                         : std::nullopt;
  const std::size_t colon = plain ? plain->find(':') : std::string::npos;
  if (colon == std::string::npos)
    throw Error(RH_INVALID_ARGUMENT, shown + ": auth: expected base64 of USER:PASSWORD");
  RegistryCredentials credentials{plain->substr(0, colon), plain->substr(colon + 1)};
  while (!credentials.password.empty() && credentials.password.back() == '\0')
    credentials.password.pop_back();  // as Docker reads it
  return credentials;
}

json read_file(const fs::path& file, const std::string& shown) {
  try {
    const auto text = read_small_file(file, shown, kMaximumFileBytes);
    return text ? parse_json_object(*text, shown) : json();
  } catch (const Error& error) {
    throw Error(error.code() == RH_MODEL_INVALID ? RH_INVALID_ARGUMENT : error.code(), error.what(),
                "repair the file, or give another with REGISTRY_AUTH_FILE");
  }
}

std::string helper_of(const json& root, const std::vector<std::string>& keys) {
  if (const json* helper = lookup(root, "credHelpers", keys); helper != nullptr && helper->is_string())
    return *helper;
  const auto store = root.find("credsStore");
  return store != root.end() && store->is_string() ? store->get<std::string>() : "";
}

// How helpers are asked.
struct Helpers {
  std::string server, path;
  std::chrono::milliseconds timeout;
};

// What one file says; true when it is the one that knows the registry.
bool look_into(const fs::path& file, const std::vector<std::string>& keys, const Helpers& helpers,
               CredentialSearch& search) {
  const std::string shown = "credential file '" + file.string() + "'";
  const json root = read_file(file, shown);
  if (root.is_null()) return false;
  const json* entry = lookup(root, "auths", keys);
  // A helper goes first, as with Docker: what `auths` has beside it may be of before.
  const std::string helper = helper_of(root, keys);
  if (!helper.empty()) {
    HelperAnswer answer = ask_credential_helper(helper, helpers.server, helpers.path, helpers.timeout);
    search.found = std::move(answer.found);
    if (search.found) return true;
    if (search.note.empty())
      search.note = fmt::format("{} names the credential helper '{}', which {}", shown, helper,
                                answer.fault.empty() ? "knows no login for it" : answer.fault);
  }
  if (entry != nullptr && entry->is_object() && entry->contains("auth")) {
    search.found = decoded(*entry, shown);
    return true;
  }
  if (entry != nullptr && entry->is_object() && entry->contains("identitytoken") && search.note.empty())
    search.note = shown + " has an identity token, which is not used";
  return false;
}

}  // namespace

std::string RegistryCredentials::basic() const {
  return "Basic " + base64_encoded(username + ":" + password);
}

CredentialSearch find_credentials(const RegistryReference& reference, const EnvironmentLookup& environment,
                                  std::chrono::milliseconds helper_timeout) {
  CredentialSearch search;
  search.found = from_environment(environment);
  if (search.found) return search;
  const auto keys = keys_of(reference);
  const bool docker_hub = reference.registry == "docker.io" || reference.registry == "index.docker.io";
  const Helpers helpers{docker_hub ? kDockerHub : reference.registry, environment("PATH").value_or(""),
                        helper_timeout};
  for (const fs::path& file : credential_files(environment)) {
    if (look_into(file, keys, helpers, search)) break;
  }
  if (search.found) search.note.clear();
  return search;
}

}  // namespace roundhouse::host
