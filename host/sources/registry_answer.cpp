// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_answer.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr std::size_t kMaximumWords = 300, kMaximumDepth = 32;

struct Complaint {
  std::string code, message;
};

std::string text_of(const json& object, const char* key) {
  const auto value = object.find(key);
  return value != object.end() && value->is_string() ? value->get<std::string>() : "";
}

// The members of `errors`; none of a body that is something else (a proxy's page).
std::vector<Complaint> complaints(const std::string& body) {
  const auto shallow = [](int depth, json::parse_event_t, json&) {
    return static_cast<std::size_t>(depth) < kMaximumDepth;
  };
  const json root = json::parse(body, shallow, false);
  std::vector<Complaint> found;
  if (!root.is_object()) return found;
  const auto errors = root.find("errors");
  if (errors == root.end() || !errors->is_array()) return found;
  for (const json& error : *errors) {
    if (error.is_object()) found.push_back({text_of(error, "code"), text_of(error, "message")});
  }
  return found;
}

std::string cleaned(const std::string& text) {
  std::string clean;
  for (const char c : text.substr(0, kMaximumWords))
    clean += static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f ? '?' : c;
  return clean;
}

std::pair<rh_status, std::string> meaning(unsigned status) {
  if (status == 401 || status == 403)
    return {RH_AUTH_REQUIRED,
            "give --username with --password-file or --password-stdin, or log in with 'skopeo login'"};
  if (status == 404) return {RH_MODEL_NOT_FOUND, "check the name, the tag and whether it needs a login"};
  if (status == 405) return {RH_SOURCE_REJECTED, "the registry does not take that; it may be read-only"};
  if (status == 429) return {RH_SOURCE_UNREACHABLE, "the registry limits how often it is asked: try later"};
  if (is_passing(status)) return {RH_SOURCE_UNREACHABLE, "the registry has trouble: try again later"};
  return {RH_SOURCE_REJECTED, ""};
}

}  // namespace

bool is_passing(unsigned status) {
  return status == 429 || status >= 500;
}

std::string registry_words(const HttpResponse& response) {
  std::string words;
  for (const Complaint& complaint : complaints(response.body)) {
    words += (words.empty() ? "" : "; ") + complaint.code;
    if (!complaint.message.empty()) words += (complaint.code.empty() ? "" : ": ") + complaint.message;
  }
  return cleaned(words);
}

bool registry_said(const HttpResponse& response, const std::string& code) {
  for (const Complaint& complaint : complaints(response.body)) {
    if (complaint.code == code) return true;
  }
  return false;
}

Error registry_error(const std::string& what, const HttpResponse& response) {
  auto [code, hint] = meaning(response.status);
  const std::string words = registry_words(response);
  return {code,
          what + ": the registry answered " + std::to_string(response.status) +
              (words.empty() ? "" : " (" + words + ")"),
          std::move(hint)};
}

}  // namespace roundhouse::host
