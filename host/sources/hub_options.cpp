// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_options.h"

#include <algorithm>

#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPrefix = "hf:";
constexpr const char* kEndpoint = "https://huggingface.co";
constexpr std::size_t kMaximumNameBytes = 96, kMaximumRevisionBytes = 255, kMaximumChoiceBytes = 512,
                      kMaximumTokenBytes = 4096;

[[noreturn]] void unsafe(const std::string& what, const std::string& value, const std::string& why) {
  std::string shown = value.substr(0, 120);
  std::replace_if(
      shown.begin(), shown.end(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; },
      '?');
  throw Error(RH_UNSAFE_NAME, what + " '" + shown + "' " + why,
              "write it as hf:org/name, hf:org/name@revision or hf:org/name:FILE");
}

bool is_name_part(const std::string& part) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !part.empty() && part.front() != '.' && part.front() != '-' &&
         part.find("..") == std::string::npos && std::all_of(part.begin(), part.end(), plain);
}

std::optional<std::string> set_variable(const Environment& environment, const std::string& name) {
  auto value = environment(name);
  if (value && value->empty()) value.reset();
  return value;
}

bool is_on(const std::optional<std::string>& value) {
  if (!value) return false;
  std::string upper = *value;
  for (char& c : upper)
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper == "1" || upper == "ON" || upper == "YES" || upper == "TRUE";
}

// Without the line end that editors put there.
std::string usable_token(std::string text, const std::string& where) {
  const auto space = [](char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; };
  while (!text.empty() && space(text.back()))
    text.pop_back();
  const bool plain = std::all_of(text.begin(), text.end(),
                                 [](char c) { return static_cast<unsigned char>(c) > ' ' && c < 0x7f; });
  if (text.empty() || !plain || text.size() > kMaximumTokenBytes)
    throw Error(RH_INVALID_ARGUMENT, where + ": is not a token, expected one line of text without spaces");
  return text;
}

std::optional<std::string> file_token(const fs::path& file, const std::string& where) {
  const auto text = read_small_file(file, where, kMaximumTokenBytes);
  return text ? std::optional(usable_token(*text, where)) : std::nullopt;
}

std::optional<std::string> token(const HubFlags& flags, const Environment& environment,
                                 const fs::path& home) {
  if (flags.token) return usable_token(*flags.token, "--token");
  if (flags.token_file) {
    auto found = file_token(*flags.token_file, "--token-file");
    if (!found) throw Error(RH_IO_ERROR, "--token-file: '" + *flags.token_file + "' does not exist");
    return found;
  }
  if (const auto value = set_variable(environment, "HF_TOKEN")) return usable_token(*value, "HF_TOKEN");
  return home.empty() ? std::nullopt : file_token(home / "token", "file 'token' of the hub's home");
}

fs::path hub_home(const Environment& environment) {
  if (const auto home = set_variable(environment, "HF_HOME")) return fs::absolute(*home);
  if (const auto cache = set_variable(environment, "XDG_CACHE_HOME")) return fs::path(*cache) / "huggingface";
  if (const auto home = set_variable(environment, "HOME")) return fs::path(*home) / ".cache/huggingface";
  return {};
}

}  // namespace

bool is_hub_source(const std::string& text) {
  return text.starts_with(kPrefix);
}

void require_hub_names(const HubRepository& repository) {
  const auto& [name, revision, file] = repository;
  const std::size_t slash = std::min(name.find('/'), name.size());
  const bool parts =
      is_name_part(name.substr(0, slash)) && (slash == name.size() || is_name_part(name.substr(slash + 1)));
  if (!parts || name.size() > kMaximumNameBytes)
    unsafe("repository", name, "is not the name of a repository, expected org/name");
  const bool printable = std::all_of(revision.begin(), revision.end(),
                                     [](char c) { return static_cast<unsigned char>(c) > ' ' && c != 0x7f; });
  if (revision.empty() || revision.size() > kMaximumRevisionBytes || !printable || revision.front() == '/' ||
      revision.find("..") != std::string::npos)
    unsafe("revision", revision, "is not a revision, expected a branch, a tag or a commit");
  const bool plain = std::all_of(file.begin(), file.end(),
                                 [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7f; });
  if (file.size() > kMaximumChoiceBytes || !plain)
    unsafe("file", file, "is not a file, expected a type of weights (Q8_0) or a file's name");
}

HubRepository parse_hub_source(const std::string& text) {
  if (!is_hub_source(text))
    throw Error(RH_INVALID_ARGUMENT,
                "source '" + text + "' is not on a hub, expected hf:org/name[:FILE][@revision]");
  const std::string rest = text.substr(3);
  const std::size_t at = rest.find('@');
  HubRepository repository{rest.substr(0, at)};
  if (at != std::string::npos) repository.revision = rest.substr(at + 1);
  // The colon belongs to no name and to no revision, so that it may follow either.
  for (std::string* part : {&repository.name, &repository.revision}) {
    const std::size_t colon = part->find(':');
    if (colon == std::string::npos) continue;
    repository.file = part->substr(colon + 1);
    part->resize(colon);
    if (repository.file.empty()) unsafe("source", text, "names no file behind the colon");
  }
  require_hub_names(repository);
  return repository;
}

HubRepository parse_hub_source(const std::string& text, const Environment& environment) {
  HubRepository repository = parse_hub_source(text);
  const auto revision = set_variable(environment, "HUGGINGFACE_REVISION");
  if (!revision || text.find('@') != std::string::npos) return repository;
  repository.revision = *revision;
  require_hub_names(repository);
  return repository;
}

HubOptions hub_options(const HubFlags& flags, const Environment& environment) {
  HubOptions options;
  std::string endpoint = set_variable(environment, "HF_ENDPOINT").value_or(kEndpoint);
  while (endpoint.ends_with('/'))
    endpoint.pop_back();
  try {
    options.endpoint = Url::parse(endpoint);
  } catch (const Error& error) {
    throw Error(error.code(), std::string("HF_ENDPOINT: ") + error.what());
  }
  const fs::path home = hub_home(environment);
  options.token = token(flags, environment, home);
  options.offline = is_on(set_variable(environment, "HF_HUB_OFFLINE"));
  const auto cache = set_variable(environment, "HF_HUB_CACHE");
  options.cache = cache ? fs::absolute(*cache) : home.empty() ? home : home / "hub";
  options.http.allow_plain_http = flags.allow_http;
  return options;
}

}  // namespace roundhouse::host
