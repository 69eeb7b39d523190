// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_auth.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "host/sources/registry_answer.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaximumTokenBytes = 256 << 10;
constexpr std::int64_t kDefaultSeconds = 60, kMaximumSeconds = 24 * 3600;

// What the challenge names and what is needed, each once.
RegistryScopes all_scopes(const AuthChallenge& challenge, const RegistryScopes& needed) {
  RegistryScopes scopes = needed;
  std::istringstream named(challenge.get("scope"));
  for (std::string scope; named >> scope;) {
    if (std::find(scopes.begin(), scopes.end(), scope) == scopes.end()) scopes.push_back(scope);
  }
  return scopes;
}

// A token as RFC 6750 has it: it will be part of a header.
bool is_token(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string token_text(const json& root) {
  for (const char* key : {"token", "access_token"}) {
    const auto value = root.find(key);
    if (value != root.end() && value->is_string() && is_token(value->get_ref<const std::string&>()))
      return *value;
  }
  return "";
}

std::chrono::milliseconds lifetime(const json& root) {
  std::int64_t seconds = kDefaultSeconds;
  if (const auto value = root.find("expires_in"); value != root.end() && value->is_number_integer())
    seconds = std::clamp<std::int64_t>(value->get<std::int64_t>(), 0, kMaximumSeconds);
  return std::chrono::milliseconds(seconds * 900);  // a tenth less, for the way
}

}  // namespace

std::string pull_scope(const std::string& repository) {
  return "repository:" + repository + ":pull";
}

std::string push_scope(const std::string& repository) {
  return "repository:" + repository + ":pull,push";
}

RegistryAuth::RegistryAuth(Url registry, CredentialSearch search)
    : registry_(std::move(registry)), search_(std::move(search)) {
}

std::optional<std::string> RegistryAuth::authorization(HttpClient& client, const RegistryScopes& scopes) {
  const std::scoped_lock lock(mutex_);
  if (basic_) return search_.found->basic();
  const auto found = tokens_.find(scopes);
  if (found == tokens_.end()) {
    if (!bearer_) return std::nullopt;
    return fetch(client, *bearer_, scopes).authorization;
  }
  if (found->second.expires > Clock::now()) return found->second.authorization;
  return fetch(client, *bearer_, scopes).authorization;
}

std::string RegistryAuth::answer(HttpClient& client, const HttpResponse& refused,
                                 const RegistryScopes& scopes, const std::optional<std::string>& used) {
  const std::scoped_lock lock(mutex_);
  const auto known = tokens_.find(scopes);
  if (known != tokens_.end() && known->second.authorization != used)
    return known->second.authorization;  // another thread was faster
  const auto challenges = parse_challenges(refused.headers.all("WWW-Authenticate"));
  const auto find = [&](const char* scheme) {
    return std::find_if(challenges.begin(), challenges.end(),
                        [&](const auto& c) { return c.scheme == scheme; });
  };
  if (const auto bearer = find("bearer"); bearer != challenges.end()) {
    return fetch(client, *bearer, scopes).authorization;
  }
  if (find("basic") == challenges.end())
    throw Error(RH_SOURCE_REJECTED, "registry '" + registry_.authority() +
                                        "': asks for a login of an unknown kind, expected Bearer or Basic");
  if (!search_.found || (used && used->starts_with("Basic "))) throw refusal("access", refused);
  basic_ = true;
  return search_.found->basic();
}

const RegistryAuth::Token& RegistryAuth::fetch(HttpClient& client, const AuthChallenge& challenge,
                                               const RegistryScopes& scopes) {
  const HttpRequest request = token_request(challenge, scopes);
  const std::string what = "token server '" + request.url.shown() + "'";
  const HttpResponse response = client.fetch(request, kMaximumTokenBytes);
  if (response.status == 401 || response.status == 403) throw refusal(what, response);
  if (response.status != 200) {
    const Error error = registry_error(what, response);
    throw Error(error.code() == RH_MODEL_NOT_FOUND ? RH_SOURCE_REJECTED : error.code(), error.what());
  }
  const json root = json::parse(response.body, nullptr, false);
  const std::string token = root.is_object() ? token_text(root) : "";
  if (token.empty()) throw Error(RH_SOURCE_REJECTED, what + ": the answer has no token, expected one");
  bearer_ = challenge;
  Token& kept = tokens_[scopes];
  kept = {"Bearer " + token, Clock::now() + lifetime(root)};
  return kept;
}

HttpRequest RegistryAuth::token_request(const AuthChallenge& challenge, const RegistryScopes& scopes) const {
  const std::string who = "registry '" + registry_.authority() + "'";
  const std::string realm = challenge.get("realm");
  HttpRequest request{"GET", registry_.resolve(realm)};
  std::string target = request.url.target();
  if (realm.empty()) throw Error(RH_SOURCE_REJECTED, who + ": the challenge names no token server");
  const auto add = [&](const std::string& name, const std::string& value) {
    target +=
        (target.find('?') == std::string::npos ? "?" : "&") + name + "=" + percent_encoded(value, "/:,");
  };
  if (const std::string service = challenge.get("service"); !service.empty()) add("service", service);
  for (const std::string& scope : all_scopes(challenge, scopes))
    add("scope", scope);
  request.url = request.url.with_target(target);
  request.headers.set("Accept", "application/json");
  if (!search_.found) return request;
  const bool safe = request.url.same_origin(registry_) || request.url.secure() || request.url.loopback();
  if (!safe)
    throw Error(RH_SOURCE_REJECTED, who + ": its token server '" + request.url.shown() +
                                        "' would get the password in the clear, expected https");
  request.authorization = search_.found->basic();
  return request;
}

Error RegistryAuth::refusal(const std::string& what, const HttpResponse& refused) const {
  const std::string words = registry_words(refused);
  std::string message = fmt::format("registry '{}': {} was refused with {}{}", registry_.authority(), what,
                                    refused.status, (words.empty() ? "" : " (" + words + ")"));
  message += search_.found ? " to user '" + search_.found->username + "'" : " without a login";
  std::string hint =
      search_.found ? "check user, password and what this user may do there"
                    : "give --username with --password-file or --password-stdin, set "
                      "ROUNDHOUSE_REGISTRY_USERNAME and ROUNDHOUSE_REGISTRY_PASSWORD, or log in with 'skopeo "
                      "login " +
                          registry_.authority() + "'";
  if (!search_.note.empty()) hint += "; " + search_.note;
  return {RH_AUTH_REQUIRED, message, hint};
}

}  // namespace roundhouse::host
