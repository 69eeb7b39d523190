// SPDX-License-Identifier: Apache-2.0
// What a registry has under a reference, and whether it is a model.
#pragma once

#include <string>

#include "host/sources/registry_client.h"

namespace roundhouse::host {

struct RemoteModel {
  std::string text;  // of the manifest, as the registry has it
  ModelManifest manifest;
};

// The manifest of the client's reference; of an index, that of the only model in it. Throws
// CAPABILITY_UNSUPPORTED for container images and artifacts of other kinds, INVALID_ARGUMENT for an index
// with several models, MODEL_INVALID, UNSAFE_NAME, and what the client throws.
RemoteModel find_remote_model(RegistryClient& client);

}  // namespace roundhouse::host
