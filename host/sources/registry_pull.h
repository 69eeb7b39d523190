// SPDX-License-Identifier: Apache-2.0
// A model of an OCI registry into the store: only what the store lacks travels.
#pragma once

#include <filesystem>
#include <memory>

#include "host/sources/parallel.h"
#include "host/sources/registry_client.h"
#include "host/store/store.h"

namespace roundhouse::host {

struct RegistryPullOptions {
  unsigned transfers = kDefaultTransfers;  // blobs at a time
  ProgressCallback progress;               // called by one thread at a time
  ModelCheck check = {};
};

// Gets the manifest, of an index that of its only model, then its blobs, and gives the model the name once
// all are there and right. The manifest is stored byte for byte, so that the digest is the registry's. What a
// killed pull has received is used. Throws CAPABILITY_UNSUPPORTED for what is no model, INTEGRITY_MISMATCH
// for bytes that are not what their digest says, MODEL_INVALID and UNSAFE_NAME for a manifest or files that
// contradict themselves, INSUFFICIENT_STORAGE before any file travels, INVALID_ARGUMENT for a name with a
// version that stands for another model, what RegistryClient throws.
ImportReport pull_model(const std::filesystem::path& store, const ModelName& name,
                        const std::shared_ptr<RegistryLink>& link, const RegistryPullOptions& options);

}  // namespace roundhouse::host
