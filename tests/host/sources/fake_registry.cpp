// SPDX-License-Identifier: Apache-2.0
#include "tests/host/sources/fake_registry.h"

#include <nlohmann/json.hpp>

namespace roundhouse::test {
namespace {

constexpr const char* kBlobs = "/blobs/";
constexpr const char* kUploads = "/blobs/uploads/";

}  // namespace

ServerReply refusal(unsigned status, const std::string& code, const std::string& message) {
  const nlohmann::json body = {{"errors", {{{"code", code}, {"message", message}}}}};
  return {status, {{"Content-Type", "application/json"}}, body.dump()};
}

ServerReply FakeRegistry::operator()(const ServerRequest& request) {
  const std::string path = request.path();
  if (path == "/v2/") return {200};
  const std::size_t uploads_at = path.find(kUploads), blobs_at = path.find(kBlobs);
  if (blobs_at == std::string::npos || !path.starts_with("/v2/"))
    return refusal(404, "NAME_UNKNOWN", "no such place");
  const std::string repository = path.substr(4, blobs_at - 4);
  if (uploads_at == std::string::npos) {
    const auto blob = blobs.find(repository + "@" + path.substr(blobs_at + 7));
    if (blob == blobs.end()) return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
    return {200, {}, blob->second};
  }
  const std::string id = path.substr(uploads_at + std::string(kUploads).size());
  return id.empty() ? begin(request, repository) : on_upload(request, repository, id);
}

ServerReply FakeRegistry::begin(const ServerRequest& request, const std::string& repository) {
  const std::string digest = request.query("mount");
  const auto elsewhere = blobs.find(request.query("from") + "@" + digest);
  if (!digest.empty() && elsewhere != blobs.end()) {
    blobs[repository + "@" + digest] = elsewhere->second;
    return {201, {{"Location", "/v2/" + repository + "/blobs/" + digest}}};
  }
  const std::string id = std::to_string(uploads.size() + 1);
  uploads[id] = "";
  // Relative, and with a query: both are allowed.
  ServerReply reply{202, {{"Location", "/v2/" + repository + kUploads + id + "?state=a%2Fb"}}};
  if (!minimum_chunk.empty()) reply.headers.emplace_back("OCI-Chunk-Min-Length", minimum_chunk);
  return reply;
}

ServerReply FakeRegistry::on_upload(const ServerRequest& request, const std::string& repository,
                                    const std::string& id) {
  const auto upload = uploads.find(id);
  if (upload == uploads.end() || request.query("state") != "a%2Fb")
    return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  if (request.method == "GET") return state(204, id);
  if (request.method == "PATCH") return patch(request, id);
  const std::string content = upload->second + request.body;
  if (host::sha256(content).text() != request.query("digest"))
    return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  blobs[repository + "@" + request.query("digest")] = content;
  uploads.erase(upload);
  return {201};
}

ServerReply FakeRegistry::patch(const ServerRequest& request, const std::string& id) {
  std::string& content = uploads.at(id);
  if (!request.get("content-range").starts_with(std::to_string(content.size()) + "-")) {
    ServerReply reply = state(416, id);
    return reply;
  }
  content += accept_at_most == 0 ? request.body : request.body.substr(0, accept_at_most);
  ServerReply reply = state(202, id);
  if (forgetful) uploads.erase(id);
  return reply;
}

ServerReply FakeRegistry::state(unsigned status, const std::string& id) const {
  const std::size_t size = uploads.at(id).size();
  return {status, {{"Range", "0-" + std::to_string(size == 0 ? 0 : size - 1)}}};
}

}  // namespace roundhouse::test
