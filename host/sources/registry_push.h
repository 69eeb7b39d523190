// SPDX-License-Identifier: Apache-2.0
// A model of the store to an OCI registry: only what the repository lacks travels.
#pragma once

#include <cstdint>
#include <functional>

#include "host/sources/parallel.h"
#include "host/sources/registry_client.h"
#include "host/store/store.h"

namespace roundhouse::host {

inline constexpr std::uint64_t kMinimumChunkBytes = std::uint64_t{64} << 10;
inline constexpr std::uint64_t kMaximumChunkBytes = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kDefaultChunkBytes = std::uint64_t{32} << 20;

struct PushOptions {
  std::uint64_t chunk_bytes = kDefaultChunkBytes;  // larger blobs travel in requests of this size
  unsigned transfers = kDefaultTransfers;          // blobs at a time
  ProgressCallback progress;                       // called by one thread at a time
};

struct PushReport {
  unsigned blobs = 0, there = 0, mounted = 0, uploaded = 0;
  std::uint64_t bytes = 0;       // of all blobs
  std::uint64_t bytes_sent = 0;  // of blobs, those that a cut made useless included
  bool manifest_there = false;   // the reference stood for this model already
};

// Checks the model, sends the blobs that are missing, then the manifest, byte for byte as it is stored, so
// that the digest is the same everywhere. A push that was killed goes on from what the registry has kept.
// Throws INTEGRITY_MISMATCH for damage here, before anything is sent; INVALID_ARGUMENT for a reference with
// the digest of another model; what RegistryClient throws.
PushReport push_model(Store& store, const StoredModel& model, const std::shared_ptr<RegistryLink>& link,
                      const PushOptions& options);

}  // namespace roundhouse::host
