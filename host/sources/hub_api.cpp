// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "host/sources/backoff.h"
#include "host/sources/link_header.h"
#include "host/store/oci_manifest.h"
#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;

constexpr std::uint64_t kMaximumAnswerBytes = 32 << 20;
constexpr std::uint64_t kLargestHubFile = std::uint64_t{1} << 50;
constexpr std::size_t kMaximumFiles = 50'000, kMaximumPages = 1000;
constexpr std::size_t kCommitDigits = 40;

[[noreturn]] void refuse(const std::string& what) {
  throw Error(RH_SOURCE_REJECTED, "hub: " + what);
}

bool is_hex(const std::string& text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

// A server's own words, shortened, without what could drive a terminal.
std::string words_of(const HttpResponse& response) {
  std::string words = response.headers.get("X-Error-Message").substr(0, 200);
  std::replace_if(
      words.begin(), words.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; },
      '?');
  return words.empty() ? "" : ": " + words;
}

json parsed(const std::string& text, const std::string& shown) {
  try {
    // One key around it, so that lists are read with the same limits as objects.
    return parse_json_object("{\"answer\":" + text + "}", shown).at("answer");
  } catch (const Error& error) {
    refuse(error.what());
  }
}

std::string text_of(const json& object, const char* key, const std::string& where) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_string()) refuse(where + ": " + key + ": expected text");
  return value->get<std::string>();
}

std::uint64_t size_of(const json& object, const std::string& where) {
  const auto value = object.find("size");
  if (value == object.end() || !value->is_number_unsigned() || value->get<std::uint64_t>() > kLargestHubFile)
    refuse(where + ": size: expected a number of bytes from 0 to 2^50");
  return value->get<std::uint64_t>();
}

// No honest listing has one.
bool leads_out(const std::string& path) {
  const std::filesystem::path parts(path);
  return path.empty() || parts.is_absolute() || std::ranges::find(parts, "..") != parts.end();
}

// None for directories, and for names that no model can have: nobody needs those files.
std::optional<HubFile> parse_file(const json& entry) {
  if (!entry.is_object()) refuse("listing: expected objects");
  const std::string path = text_of(entry, "path", "listing");
  try {
    require_safe_path(path, "hub: listing");
  } catch (const Error& error) {
    if (!leads_out(path)) return std::nullopt;
    throw Error(RH_SOURCE_REJECTED, error.what(), "the hub's answer is damaged: nothing of it was taken");
  }
  const std::string where = "listing: '" + path + "'";
  if (text_of(entry, "type", where) != "file") return std::nullopt;
  HubFile file{path, size_of(entry, where), {}, {}};
  const auto lfs = entry.find("lfs");
  if (lfs != entry.end() && !lfs->is_null()) {
    if (!lfs->is_object()) refuse(where + ": lfs: expected an object");
    const std::string oid = text_of(*lfs, "oid", where + ": lfs");
    file.sha256 = oid.starts_with("sha256:") ? Digest::parse(oid) : Digest::from_hex(oid);
    if (!file.sha256) refuse(where + ": lfs: oid: expected 64 hexadecimal digits");
    file.size = size_of(*lfs, where + ": lfs");
    return file;
  }
  file.git_sha1 = text_of(entry, "oid", where);
  if (!is_hex(file.git_sha1, kCommitDigits)) refuse(where + ": oid: expected 40 hexadecimal digits");
  return file;
}

void add_files(const json& page, std::vector<HubFile>& files) {
  if (!page.is_array()) refuse("listing: expected a list");
  for (const json& entry : page) {
    if (auto file = parse_file(entry)) files.push_back(std::move(*file));
    if (files.size() > kMaximumFiles) refuse(fmt::format("listing: has more than {} files", kMaximumFiles));
  }
}

std::optional<std::string> next_page(const HttpHeaders& headers) {
  for (const std::string& field : headers.all("Link")) {
    if (auto next = next_link(field)) return next;
  }
  return std::nullopt;
}

void refuse_duplicates(std::vector<HubFile>& files) {
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  const auto twice = std::adjacent_find(files.begin(), files.end(),
                                        [](const auto& a, const auto& b) { return a.path == b.path; });
  if (twice != files.end()) refuse("listing: '" + twice->path + "' comes twice");
}

}  // namespace

Url hub_url(const HubOptions& options, const std::string& target) {
  std::string prefix = options.endpoint.target();
  while (prefix.ends_with('/'))
    prefix.pop_back();
  return options.endpoint.with_target(prefix + target);
}

std::optional<std::string> hub_authorization(const HubOptions& options) {
  return options.token ? std::optional("Bearer " + *options.token) : std::nullopt;
}

void throw_hub_answer(const HttpResponse& response, const HubRepository& repository,
                      const std::string& path) {
  const std::string code = response.headers.get("X-Error-Code");
  const std::string status = fmt::format("{} for ", response.status);
  const std::string shown = "repository '" + repository.name + "'";
  const std::string words = words_of(response);
  const std::string hint = "give a token that may read it with --token-file or in HF_TOKEN";
  if (is_busy(response.status)) throw SourceBusy(response, "hub: " + status + shown + words);
  if (code == "GatedRepo")
    throw Error(RH_AUTH_REQUIRED, "hub: " + status + shown + ", which is gated" + words,
                "accept its conditions on its page, then " + hint);
  if (code == "RevisionNotFound")
    throw Error(RH_MODEL_NOT_FOUND,
                "hub: " + shown + " has no revision '" + repository.revision + "'" + words,
                "see the repository's page for its branches and tags");
  if (code == "EntryNotFound")
    throw Error(RH_WEIGHTS_MISSING, "hub: " + shown + " has no file '" + path + "'" + words,
                "see the repository's page for what it holds");
  if (response.status == 401 || response.status == 403)
    throw Error(RH_AUTH_REQUIRED, "hub: " + status + shown + ", which is missing or gated" + words,
                "check the name; if it is right, " + hint);
  if (response.status == 404 || code == "RepoNotFound")
    throw Error(RH_MODEL_NOT_FOUND, "hub: " + shown + " is missing or gated" + words,
                "check the name; if it is right, " + hint);
  throw Error(RH_SOURCE_REJECTED,
              "hub: " + status + shown + (path.empty() ? "" : ", file '" + path + "'") + words);
}

HttpResponse HubApi::get(const Url& url, const HubRepository& repository) {
  HttpRequest request;
  request.url = url;
  request.headers.set("Accept", "application/json");
  request.authorization = hub_authorization(options_);
  return with_retries(Backoff(options_.http.cancelled), [&] {
    HttpResponse response = client_.fetch(request, kMaximumAnswerBytes);
    if (response.status != 200) throw_hub_answer(response, repository, "");
    return response;
  });
}

std::string HubApi::commit(const HubRepository& repository) {
  const Url url = hub_url(options_, "/api/models/" + percent_encoded(repository.name, "/") + "/revision/" +
                                        percent_encoded(repository.revision));
  const json answer = parsed(get(url, repository).body, "repository '" + repository.name + "'");
  if (!answer.is_object()) refuse("repository '" + repository.name + "': expected an object");
  std::string sha = text_of(answer, "sha", "repository '" + repository.name + "'");
  if (!is_hex(sha, kCommitDigits))
    refuse("sha '" + sha.substr(0, kCommitDigits) + "': expected 40 hexadecimal digits");
  return sha;
}

std::vector<HubFile> HubApi::files(const std::string& repository, const std::string& commit) {
  std::vector<HubFile> files;
  Url url = hub_url(
      options_, "/api/models/" + percent_encoded(repository, "/") + "/tree/" + commit + "?recursive=true");
  for (std::size_t pages = 0; pages < kMaximumPages; ++pages) {
    const HttpResponse response = get(url, {repository, commit});
    add_files(parsed(response.body, "listing of '" + repository + "'"), files);
    const auto next = next_page(response.headers);
    if (!next) {
      refuse_duplicates(files);
      return files;
    }
    url = response.url.resolve(*next);
    // The token goes along.
    if (!url.same_origin(options_.endpoint)) refuse("listing: goes on at another server, " + url.origin());
  }
  refuse(fmt::format("listing: has more than {} pages", kMaximumPages));
}

}  // namespace roundhouse::host
