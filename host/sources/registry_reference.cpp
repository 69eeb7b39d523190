// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_reference.h"

#include <algorithm>
#include <string_view>

#include "host/sources/texts.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumRepositoryBytes = 255, kMaximumTagBytes = 128;
constexpr const char* kForm = "expected oci://REGISTRY[:PORT]/REPOSITORY[:TAG][@sha256:DIGEST]";

bool is_lower_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Runs of letters and digits, joined by '.', '_', '__' or any number of '-'.
bool is_component(std::string_view text) {
  if (text.empty() || !is_lower_alphanumeric(text.front()) || !is_lower_alphanumeric(text.back()))
    return false;
  for (std::size_t i = 0; i < text.size();) {
    if (is_lower_alphanumeric(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (!is_lower_alphanumeric(text[end]))
      ++end;  // the last is one
    const std::string_view joint = text.substr(i, end - i);
    const bool dashes = joint.find_first_not_of('-') == std::string_view::npos;
    if (!dashes && joint != "." && joint != "_" && joint != "__") return false;
    i = end;
  }
  return true;
}

[[noreturn]] void refuse(const std::string& text, const std::string& what) {
  throw Error(RH_INVALID_ARGUMENT, "reference '" + printable(text, 200) + "': " + what + ", " + kForm);
}

}  // namespace

bool is_repository(const std::string& text) {
  if (text.empty() || text.size() > kMaximumRepositoryBytes) return false;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('/', begin), text.size());
    if (!is_component(std::string_view(text).substr(begin, end - begin))) return false;
    begin = end + 1;
  }
  return true;
}

bool is_tag(const std::string& text) {
  const auto plain = [](char c) {
    return is_lower_alphanumeric(c) || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' || c == '-';
  };
  return !text.empty() && text.size() <= kMaximumTagBytes && text[0] != '.' && text[0] != '-' &&
         std::all_of(text.begin(), text.end(), plain);
}

RegistryReference RegistryReference::parse(const std::string& text) {
  const std::string scheme = kRegistryScheme;
  if (!text.starts_with(scheme)) refuse(text, "does not begin with oci://");
  const std::size_t slash = text.find('/', scheme.size());
  RegistryReference reference;
  reference.registry = text.substr(scheme.size(), slash - scheme.size());
  if (reference.registry.find('@') != std::string::npos)
    throw Error(RH_INVALID_ARGUMENT, "reference: a user or a password may not be part of it",
                "give them with --username and --password-file or --password-stdin");
  if (slash == std::string::npos) refuse(text, "has no repository");
  std::string rest = text.substr(slash + 1);
  if (const std::size_t at = rest.find('@'); at != std::string::npos) {
    reference.digest = Digest::parse(rest.substr(at + 1));
    if (!reference.digest) refuse(text, "the digest is not sha256: and 64 lower-case hexadecimal digits");
    rest.resize(at);
  }
  if (const std::size_t colon = rest.find(':'); colon != std::string::npos) {
    reference.tag = rest.substr(colon + 1);
    if (!is_tag(reference.tag))
      refuse(text, "the tag '" + printable(reference.tag, 200) +
                       "' is not 1 to 128 letters, digits, '_', '.', '-'");
    rest.resize(colon);
  }
  if (!is_repository(rest))
    refuse(text, "the repository '" + printable(rest, 200) +
                     "' is not lower-case letters and digits, joined by single '.', '_', '-' or '/'");
  reference.repository = rest;
  try {
    const Url url = Url::parse("https://" + reference.registry + "/");
    const bool port = reference.registry.find(':', reference.registry.rfind(']') + 1) != std::string::npos;
    reference.registry = url.authority();
    // The port that https leaves out is another than the one that http does.
    if (port && url.port() == 443) reference.registry += ":443";
  } catch (const Error&) {
    refuse(text,
           "the registry '" + printable(reference.registry, 200) + "' is not a host with an optional port");
  }
  return reference;
}

std::string RegistryReference::text() const {
  return kRegistryScheme + registry + "/" + repository + (tag.empty() ? "" : ":" + tag) +
         (digest ? "@" + digest->text() : "");
}

std::string RegistryReference::selector() const {
  return digest ? digest->text() : tag.empty() ? "latest" : tag;
}

Url RegistryReference::endpoint(bool plain) const {
  // Docker Hub's API has another address than its names.
  const bool hub = registry == "docker.io" || registry == "index.docker.io";
  return Url::parse((plain ? "http://" : "https://") + (hub ? "registry-1.docker.io" : registry) + "/v2/");
}

std::optional<ModelName> RegistryReference::default_name() const {
  const std::string name = repository.substr(repository.rfind('/') + 1);
  return ModelName::try_parse(tag.empty() ? name : name + ":" + tag);
}

}  // namespace roundhouse::host
