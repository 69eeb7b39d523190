// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "host/sources/registry_answer.h"

namespace roundhouse::host {
namespace {

constexpr std::uint64_t kAnswerBytes = 1 << 20;  // of what is no manifest and no blob
constexpr const char* kBinary = "application/octet-stream";

std::string accepted_types() {
  return std::string(kManifestType) + ", " + kIndexType +
         ", application/vnd.docker.distribution.manifest.v2+json"
         ", application/vnd.docker.distribution.manifest.list.v2+json";
}

bool is_registry(const HttpResponse& response) {
  return response.status == 200 || response.status == 401;
}

HttpResponse ping(const Url& base, const HttpOptions& options) {
  return HttpClient(options).fetch({"GET", base}, kAnswerBytes);
}

// Whether the registry speaks plain http and no TLS.
bool is_plain(const RegistryReference& reference, const HttpOptions& options) {
  try {
    ping(reference.endpoint(false), options);
    return false;
  } catch (const HttpFailure& failure) {
    if (failure.step() == HttpFailure::Step::name) throw;
    try {
      if (is_registry(ping(reference.endpoint(true), options))) return true;
    } catch (const HttpFailure&) {
      throw HttpFailure(failure);  // the first one tells more
    }
    throw;
  }
}

// What an upload's Range header says: "0-99" is 100 bytes. Registries say "0-0" for nothing.
std::optional<std::uint64_t> received(const HttpResponse& response) {
  std::string range = response.headers.get("Range");
  if (range.starts_with("bytes=")) range.erase(0, 6);
  if (!range.starts_with("0-")) return std::nullopt;
  std::uint64_t last = 0;
  const char* end = range.data() + range.size();
  const auto [stop, failure] = std::from_chars(range.data() + 2, end, last);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return last == 0 ? 0 : last + 1;
}

std::uint64_t minimum_chunk(const HttpResponse& response) {
  const std::string text = response.headers.get("OCI-Chunk-Min-Length");
  std::uint64_t bytes = 0;
  std::from_chars(text.data(), text.data() + text.size(), bytes);
  return bytes;
}

// The same options, with another reason to end.
HttpOptions stoppable(HttpOptions options, const Stopped& stopped) {
  options.cancelled = either(stopped, options.cancelled);
  return options;
}

}  // namespace

std::shared_ptr<RegistryLink> open_registry(const RegistryReference& reference,
                                            const RegistryAccess& access) {
  const Url secure = reference.endpoint(false);
  const bool plain = (access.http.allow_plain_http || secure.loopback()) && is_plain(reference, access.http);
  return std::make_shared<RegistryLink>(reference, access, reference.endpoint(plain));
}

RegistryClient::RegistryClient(std::shared_ptr<RegistryLink> link, RegistryUse use, const Stopped& stopped)
    : link_(std::move(link)), use_(use), http_(stoppable(link_->http, stopped)) {
}

RegistryScopes RegistryClient::scopes() const {
  const std::string& repository = link_->reference.repository;
  return {use_ == RegistryUse::push ? push_scope(repository) : pull_scope(repository)};
}

Url RegistryClient::url(const std::string& path) const {
  return link_->base.with_target("/v2/" + link_->reference.repository + "/" + path);
}

std::string RegistryClient::shown(const std::string& what) const {
  return "registry '" + link_->reference.registry + "': " + link_->reference.repository + ": " + what;
}

Error RegistryClient::error(const std::string& what, const HttpResponse& response) const {
  if (response.status == 401 || response.status == 403)
    return link_->auth.refusal(link_->reference.repository + ": " + what, response);
  Error error = registry_error(shown(what), response);
  // Nothing that is pushed has to be there.
  if (use_ == RegistryUse::push && error.code() == RH_MODEL_NOT_FOUND)
    return {RH_SOURCE_REJECTED, error.what(), "check the repository's name and whether it takes pushes"};
  return error;
}

HttpResponse RegistryClient::send(HttpRequest request, const RegistryScopes& scopes, std::uint64_t limit) {
  // An upload may lead to another server, which gets no credentials.
  if (!request.url.same_origin(link_->base)) return http_.fetch(request, limit);
  request.authorization = link_->auth.authorization(http_, scopes);
  HttpResponse response = http_.fetch(request, limit);
  if (response.status != 401) return response;
  request.authorization = link_->auth.answer(http_, response, scopes, request.authorization);
  return http_.fetch(request, limit);
}

FetchedManifest RegistryClient::manifest(const std::string& selector) {
  const std::string what = "manifest " + selector;
  const HttpResponse response = send({"GET", url("manifests/" + selector), {{"Accept", accepted_types()}}},
                                     scopes(), kMaximumManifestBytes);
  if (response.status != 200) throw error(what, response);
  FetchedManifest manifest{response.body, response.headers.get("Content-Type"), sha256(response.body)};
  for (const std::string& promised : {selector, response.headers.get("Docker-Content-Digest")}) {
    const auto digest = Digest::parse(promised);
    if (digest && *digest != manifest.digest)
      throw Error(RH_INTEGRITY_MISMATCH, shown(what) + ": sha256 is " + manifest.digest.brief() +
                                             ".., expected " + digest->brief() + "..");
  }
  return manifest;
}

std::optional<Digest> RegistryClient::manifest_digest(const std::string& selector) {
  const HttpResponse response =
      send({"HEAD", url("manifests/" + selector), {{"Accept", accepted_types()}}}, scopes(), 0);
  if (response.status == 404) return std::nullopt;
  if (response.status != 200) throw error("manifest " + selector, response);
  return Digest::parse(response.headers.get("Docker-Content-Digest"));
}

void RegistryClient::put_manifest(const std::string& selector, const std::string& media_type,
                                  const std::string& text) {
  const std::string what = "manifest " + selector;
  const HttpResponse response = send(
      {"PUT", url("manifests/" + selector), {{"Content-Type", media_type}}, text}, scopes(), kAnswerBytes);
  if (response.status != 201) throw error(what, response);
  const auto stored = Digest::parse(response.headers.get("Docker-Content-Digest"));
  if (stored && *stored != sha256(text))
    throw Error(RH_INTEGRITY_MISMATCH, shown(what) + ": the registry has stored " + stored->brief() +
                                           ".., expected " + sha256(text).brief() + "..");
}

bool RegistryClient::has_blob(const Digest& digest) {
  const HttpResponse response = send({"HEAD", url("blobs/" + digest.text())}, scopes(), 0);
  if (response.status == 404) return false;
  if (response.status != 200) throw error("blob " + digest.text(), response);
  return true;
}

HttpResponse RegistryClient::get_blob(const Digest& digest, std::uint64_t offset, const HttpSink& sink,
                                      std::optional<std::uint64_t> bytes) {
  HttpRequest request{"GET", url("blobs/" + digest.text())};
  if (bytes) {
    request.headers.set("Range",
                        fmt::format("bytes={}-{}", offset, offset + std::max<std::uint64_t>(*bytes, 1) - 1));
  } else if (offset > 0)
    request.headers.set("Range", fmt::format("bytes={}-", offset));
  request.authorization = link_->auth.authorization(http_, scopes());
  HttpResponse response = http_.stream(
      request, {[&](const HttpResponse& head) { return head.status != 401 && sink.head(head); }, sink.bytes});
  if (response.status != 401) return response;
  request.authorization = link_->auth.answer(http_, response, scopes(), request.authorization);
  return http_.stream(request, sink);
}

Error RegistryClient::blob_error(const Digest& digest, const HttpResponse& response) const {
  return error("blob " + digest.text(), response);
}

std::optional<UploadSession> RegistryClient::begin_upload(const Digest& digest,
                                                          const std::string& mount_from) {
  const Url plain = url("blobs/uploads/");
  HttpResponse response;
  if (!mount_from.empty()) {
    RegistryScopes both = scopes();
    both.push_back(pull_scope(mount_from));
    const std::string query = "?mount=" + digest.text() + "&from=" + percent_encoded(mount_from, "/");
    // What is remembered may be wrong, and the other repository may be closed: that refuses no upload.
    try {
      response = send({"POST", plain.with_target(plain.target() + query)}, both, kAnswerBytes);
    } catch (const Error& error) {
      if (error.code() != RH_AUTH_REQUIRED) throw;
    }
    if (response.status == 201) return std::nullopt;
  }
  if (response.status != 202) response = send({"POST", plain}, scopes(), kAnswerBytes);
  if (response.status != 202) throw upload_error(digest, response);
  const std::string* location = response.headers.find("Location");
  if (location == nullptr)
    throw Error(RH_SOURCE_REJECTED, shown("upload") + ": the answer has no Location, expected one");
  return UploadSession{response.url.resolve(*location), 0, minimum_chunk(response)};
}

std::optional<UploadSession> RegistryClient::upload_state(const UploadSession& session) {
  const HttpResponse response = send({"GET", session.location}, scopes(), kAnswerBytes);
  if (is_passing(response.status) || response.status == 401 || response.status == 403)
    throw error("upload", response);
  const auto offset = received(response);
  if (response.status / 100 != 2 || !offset) return std::nullopt;
  UploadSession now = session;
  now.offset = *offset;
  if (const std::string* location = response.headers.find("Location"))
    now.location = response.url.resolve(*location);
  return now;
}

HttpResponse RegistryClient::send_chunk(UploadSession& session, const FileRange& chunk,
                                        const BytesSent& sent) {
  const std::string range = fmt::format("{}-{}", chunk.offset, chunk.offset + chunk.size - 1);
  HttpRequest request{"PATCH", session.location, {{"Content-Type", kBinary}, {"Content-Range", range}}};
  request.file = chunk;
  request.sent = sent;
  HttpResponse response = send(std::move(request), scopes(), kAnswerBytes);
  if (response.status != 202) return response;
  session.offset = received(response).value_or(chunk.offset + chunk.size);
  if (const std::string* location = response.headers.find("Location"))
    session.location = response.url.resolve(*location);
  return response;
}

HttpResponse RegistryClient::finish_upload(const UploadSession& session, const Digest& digest,
                                           const std::optional<FileRange>& whole, const BytesSent& sent) {
  const std::string& target = session.location.target();
  const std::string query = (target.find('?') == std::string::npos ? "?" : "&") + ("digest=" + digest.text());
  HttpRequest request{"PUT", session.location.with_target(target + query), {{"Content-Type", kBinary}}};
  request.file = whole;
  if (whole) request.sent = sent;
  return send(std::move(request), scopes(), kAnswerBytes);
}

Error RegistryClient::upload_error(const Digest& digest, const HttpResponse& response) const {
  return error("upload of blob " + digest.text(), response);
}

}  // namespace roundhouse::host
