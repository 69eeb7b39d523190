// SPDX-License-Identifier: Apache-2.0
// One connection to a repository of an OCI registry: the calls of the distribution API 1.1 that reading and
// writing models takes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "host/sources/parallel.h"
#include "host/sources/registry_auth.h"
#include "host/store/oci_manifest.h"
#include "host/transport/http_client.h"

namespace roundhouse::host {

// How a registry is reached.
struct RegistryAccess {
  HttpOptions http;         // with allow_plain_http, http is tried where https does not work
  CredentialSearch search;  // who is asking
};

// What all connections to one registry share. Thread-safe.
struct RegistryLink {
  RegistryLink(RegistryReference named, const RegistryAccess& access, const Url& address)
      : reference(std::move(named)), http(access.http), base(address), auth(address, access.search) {}

  const RegistryReference reference;
  const HttpOptions http;
  const Url base;  // ".../v2/"
  RegistryAuth auth;
};

// Finds out how the registry is reached: https, else plain http within this machine and where `access` allows
// it. Throws what HttpClient throws.
std::shared_ptr<RegistryLink> open_registry(const RegistryReference& reference, const RegistryAccess& access);

struct FetchedManifest {
  std::string text, media_type;
  Digest digest;  // of `text`
};

using BytesSent = std::function<void(std::uint64_t)>;  // of one request, so far

// An upload that the registry keeps open.
struct UploadSession {
  Url location;
  std::uint64_t offset = 0;         // bytes that it has
  std::uint64_t minimum_chunk = 0;  // that it takes, but for the last
};

// What a client is for decides which rights it asks for.
enum class RegistryUse { pull, push };

// One client belongs to one thread at a time. All calls throw AUTH_REQUIRED, MODEL_NOT_FOUND (SOURCE_REJECTED
// when pushing), SOURCE_REJECTED, SOURCE_UNREACHABLE (also for 429 and 5xx) and CANCELLED, with the
// registry's own words.
class RegistryClient {
 public:
  // `stopped` may be empty; true ends what is waited for, with CANCELLED.
  RegistryClient(std::shared_ptr<RegistryLink> link, RegistryUse use, const Stopped& stopped);

  const RegistryReference& reference() const { return link_->reference; }

  // Any kind of manifest. Throws INTEGRITY_MISMATCH when it is not what `selector` (a digest) or the
  // registry's own header says.
  FetchedManifest manifest(const std::string& selector);
  // The digest under a tag or digest as the registry tells it; none where it does not.
  std::optional<Digest> manifest_digest(const std::string& selector);
  // Throws INTEGRITY_MISMATCH when the registry has stored another.
  void put_manifest(const std::string& selector, const std::string& media_type, const std::string& text);

  bool has_blob(const Digest& digest);
  // Gives the blob from that byte on to the sink, which sees every answer but 401: 200 for the whole, 206 for
  // the rest, 416, refusals.
  // With `bytes`, no more than so many are asked for; a registry without ranges sends all.
  HttpResponse get_blob(const Digest& digest, std::uint64_t offset, const HttpSink& sink,
                        std::optional<std::uint64_t> bytes = std::nullopt);
  // The error for an answer of get_blob that is no blob.
  Error blob_error(const Digest& digest, const HttpResponse& response) const;

  // Begins an upload; none when the registry has the blob already by mounting it from that repository.
  std::optional<UploadSession> begin_upload(const Digest& digest, const std::string& mount_from);
  // What the registry has of an upload; none when it does not know it any more.
  std::optional<UploadSession> upload_state(const UploadSession& session);
  // Sends a part of the file that begins at the session's offset. Returns the answer, also a refusal; after
  // 202 the session is what the registry says.
  HttpResponse send_chunk(UploadSession& session, const FileRange& chunk, const BytesSent& sent);
  // Ends the upload, with all its bytes where `whole` is given. Returns the answer; 201 is success.
  HttpResponse finish_upload(const UploadSession& session, const Digest& digest,
                             const std::optional<FileRange>& whole, const BytesSent& sent);
  // The error for an answer of the last two that is no success.
  Error upload_error(const Digest& digest, const HttpResponse& response) const;

 private:
  HttpResponse send(HttpRequest request, const RegistryScopes& scopes, std::uint64_t limit);
  RegistryScopes scopes() const;
  Url url(const std::string& path) const;
  std::string shown(const std::string& what) const;
  Error error(const std::string& what, const HttpResponse& response) const;

  std::shared_ptr<RegistryLink> link_;
  RegistryUse use_;
  HttpClient http_;
};

}  // namespace roundhouse::host
