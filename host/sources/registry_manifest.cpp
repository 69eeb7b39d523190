// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <vector>

#include "host/sources/backoff.h"
#include "host/sources/texts.h"
#include "host/store/small_file.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

using nlohmann::json;

bool is_index(const std::string& type) {
  return type == kIndexType || type == "application/vnd.docker.distribution.manifest.list.v2+json";
}

bool is_container(const std::string& type) {
  return type.starts_with("application/vnd.docker.") || type == "application/vnd.oci.image.config.v1+json";
}

// What the manifest says it is, else what the registry says.
std::string type_of(const FetchedManifest& fetched, const json& root) {
  const std::string named = text_member(root, "mediaType");
  return named.empty() ? fetched.media_type.substr(0, fetched.media_type.find(';')) : named;
}

[[noreturn]] void refuse_kind(const std::string& shown, const std::string& type) {
  throw Error(
      RH_CAPABILITY_UNSUPPORTED,
      shown + " is " +
          (is_container(type) ? "a container image" : "an artifact of type '" + printable(type, 100) + "'") +
          ", expected a model (" + kModelConfigType + ")",
      "pull models that 'roundhouse push' or another OCI tool has copied there");
}

FetchedManifest fetch(RegistryClient& client, const std::string& selector) {
  return with_retries(Backoff({}), [&] { return client.manifest(selector); });
}

// The digest of the only model in the index.
Digest only_model(const json& root, const std::string& shown) {
  std::vector<Digest> models, unknown;
  const auto manifests = root.find("manifests");
  if (manifests == root.end() || !manifests->is_array())
    throw Error(RH_MODEL_INVALID, shown + ": index.manifests: expected an array");
  for (const json& entry : *manifests) {
    const OciDescriptor descriptor = parse_descriptor(entry, shown + ": index.manifests");
    if (descriptor.media_type != kManifestType) continue;
    const std::string artifact = text_member(entry, "artifactType");
    if (artifact == kArtifactType) models.push_back(descriptor.digest);
    // Some tools leave the type out; images have a platform.
    if (artifact.empty() && !entry.contains("platform")) unknown.push_back(descriptor.digest);
  }
  const std::vector<Digest>& found = models.empty() ? unknown : models;
  if (found.empty())
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                fmt::format("{} is an index of {} images, none of them a model", shown, manifests->size()));
  if (found.size() == 1) return found.front();
  const std::string list =
      joined(std::span(found).first(std::min<std::size_t>(found.size(), 8)), ", ", &Digest::text);
  throw Error(RH_INVALID_ARGUMENT, fmt::format("{} is an index of {} models: {}", shown, found.size(), list),
              "name one of them with @sha256:DIGEST");
}

}  // namespace

RemoteModel find_remote_model(RegistryClient& client) {
  const std::string shown = "reference '" + client.reference().text() + "'";
  FetchedManifest fetched = fetch(client, client.reference().selector());
  json root = parse_json_object(fetched.text, shown + ": manifest");
  if (is_index(type_of(fetched, root))) {
    fetched = fetch(client, only_model(root, shown).text());
    root = parse_json_object(fetched.text, shown + ": manifest");
  }
  const std::string type = type_of(fetched, root);
  if (is_container(type)) refuse_kind(shown, type);
  const auto config = root.find("config");
  const std::string config_type =
      config != root.end() && config->is_object() ? text_member(*config, "mediaType") : "";
  if (type == kManifestType && !config_type.empty() && config_type != kModelConfigType)
    refuse_kind(shown,
                text_member(root, "artifactType").empty() ? config_type : text_member(root, "artifactType"));
  ModelManifest manifest = parse_model_manifest(fetched.text);
  return {std::move(fetched.text), std::move(manifest)};
}

}  // namespace roundhouse::host
