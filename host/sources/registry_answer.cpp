// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_answer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "host/sources/texts.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr std::size_t kMaximumWords = 300, kMaximumDepth = 32;

struct Complaint {
  std::string code, message;
};

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
    if (error.is_object()) found.push_back({text_member(error, "code"), text_member(error, "message")});
  }
  return found;
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
  return printable(words, kMaximumWords);
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
          fmt::format("{}: the registry answered {}{}", what, response.status,
                      (words.empty() ? "" : " (" + words + ")")),
          std::move(hint)};
}

}  // namespace roundhouse::host
