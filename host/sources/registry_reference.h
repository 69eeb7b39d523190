// SPDX-License-Identifier: Apache-2.0
// Names of models in OCI registries: oci://registry[:port]/repository[:tag][@sha256:digest].
#pragma once

#include <optional>
#include <string>

#include "host/store/digest.h"
#include "host/store/model_name.h"
#include "host/transport/url.h"

namespace roundhouse::host {

inline constexpr const char* kRegistryScheme = "oci://";

struct RegistryReference {
  std::string registry;          // "ghcr.io", "localhost:5000", "[::1]:5000"; lower case
  std::string repository;        // "team/tiny"
  std::string tag;               // empty: none was given
  std::optional<Digest> digest;  // of the manifest, where it was given

  // Throws INVALID_ARGUMENT naming the part that is wrong. A reference with a user or a password is refused
  // and not repeated.
  static RegistryReference parse(const std::string& text);

  std::string text() const;
  // What the registry is asked for: the digest, else the tag, else "latest".
  std::string selector() const;
  // The registry's address; `plain` for http.
  Url endpoint(bool plain) const;
  // The last part of the repository, with the tag as variant unless that is "latest". None where this is no
  // name of a model.
  std::optional<ModelName> default_name() const;
};

bool is_repository(const std::string& text);
bool is_tag(const std::string& text);

}  // namespace roundhouse::host
