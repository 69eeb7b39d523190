// SPDX-License-Identifier: Apache-2.0
// One blob to a registry: nothing where it is there or can be mounted, else at once or in chunks, going on
// where a cut left it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "host/sources/registry_client.h"
#include "host/sources/registry_memory.h"

namespace roundhouse::host {

struct BlobToSend {
  Digest digest;
  std::uint64_t size = 0;
  std::filesystem::path file;
  std::string mount_from;  // a repository that may have it; empty: none is known
};

enum class Sent { there, mounted, uploaded };
struct SentBlob {
  Sent how = Sent::there;
  std::uint64_t bytes = 0;  // that travelled, also those that a cut made useless
};

struct UploadOptions {
  std::uint64_t chunk_bytes = 0;  // blobs up to this size travel in one request
  // Gets how many bytes of the blob the registry has or is being sent. May throw.
  std::function<void(std::uint64_t)> progress;
  std::function<bool()> cancelled;
};

// Throws what RegistryClient throws, once backoff with passing failures is at its end; IO_ERROR for a file
// that cannot be read.
SentBlob send_blob(RegistryClient& client, const BlobToSend& blob, UploadMemory& memory,
                   const UploadOptions& options);

}  // namespace roundhouse::host
