// SPDX-License-Identifier: Apache-2.0
#include "tests/cli/token_server.h"

#include <cstdio>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <stdexcept>

namespace roundhouse::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kAnn = "Basic YW5uOnNlY3JldA==";  // ann:secret
constexpr const char *kIssuer = "the token server", *kService = "the registry";

// What a shell's script prints.
std::string printed(const std::string& script) {
  FILE* pipe = ::popen(script.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("no shell");
  std::string text;
  char piece[4096];
  for (std::size_t count = 0; (count = std::fread(piece, 1, sizeof piece, pipe)) > 0;)
    text.append(piece, count);
  if (::pclose(pipe) != 0) throw std::runtime_error("failed: " + script);
  return text;
}

std::string decoded(std::string text) {
  for (const auto& [from, to] :
       {std::pair<std::string, std::string>{"%20", " "}, {"%2C", ","}, {"%3A", ":"}}) {
    for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from))
      text.replace(at, from.size(), to);
  }
  return text;
}

// "repository:a/b:pull,push" as a token grants it.
json granted(const std::string& scope, bool known) {
  const std::size_t first = scope.find(':'), last = scope.rfind(':');
  const std::string name = scope.substr(first + 1, last - first - 1);
  json actions = json::array();
  std::istringstream wanted(scope.substr(last + 1));
  for (std::string action; std::getline(wanted, action, ',');) {
    if (known || (action == "pull" && name.starts_with("public/"))) actions.push_back(action);
  }
  return {{"type", scope.substr(0, first)}, {"name", name}, {"actions", actions}};
}

}  // namespace

TokenServer::TokenServer(fs::path directory)
    : directory_(std::move(directory)),
      server_([this](const ServerRequest& request) { return answer(request); }) {
  fs::create_directories(directory_);
  printed("cd '" + directory_.string() +
          "' && openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out certificate.pem -days 1 -subj "
          "/CN=test 2>/dev/null");
  certificate_ = printed("openssl x509 -in '" + (directory_ / "certificate.pem").string() +
                         "' -outform DER | openssl base64 -A");
  std::ofstream(directory_ / "sign.sh")
      << "b64() { openssl base64 -A | tr '+/' '-_' | tr -d '='; }\n"
         "H=$(b64 < header); P=$(b64 < claims)\n"
         "S=$(printf '%s.%s' \"$H\" \"$P\" | openssl dgst -sha256 -sign key.pem | b64)\n"
         "printf '%s.%s.%s' \"$H\" \"$P\" \"$S\"\n";
}

std::string TokenServer::auth() const {
  return "{token: {realm: 'http://" + server_.address() + "/token', service: '" + kService + "', issuer: '" +
         kIssuer + "', rootcertbundle: '" + (directory_ / "certificate.pem").string() + "'}}";
}

ServerReply TokenServer::answer(const ServerRequest& request) const {
  const std::string login = request.get("authorization");
  if (!login.empty() && login != kAnn)
    return {401, {}, R"({"errors":[{"code":"UNAUTHORIZED","message":"no"}]})"};
  const std::time_t now = std::time(nullptr);
  json claims = {{"iss", kIssuer},  {"sub", "ann"}, {"aud", kService}, {"exp", now + 300},
                 {"nbf", now - 10}, {"iat", now},   {"jti", "1"},      {"access", json::array()}};
  std::istringstream query(request.target.substr(request.target.find('?') + 1));
  for (std::string parameter; std::getline(query, parameter, '&');) {
    if (parameter.starts_with("scope="))
      claims["access"].push_back(granted(decoded(parameter.substr(6)), !login.empty()));
  }
  return {200, {}, json({{"token", signed_token(claims.dump())}, {"expires_in", 300}}).dump()};
}

std::string TokenServer::signed_token(const std::string& claims) const {
  const json header = {{"typ", "JWT"}, {"alg", "RS256"}, {"x5c", {certificate_}}};
  std::ofstream(directory_ / "header") << header.dump();
  std::ofstream(directory_ / "claims") << claims;
  return printed("cd '" + directory_.string() + "' && sh sign.sh");
}

}  // namespace roundhouse::test
