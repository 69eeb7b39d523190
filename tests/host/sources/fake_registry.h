// SPDX-License-Identifier: Apache-2.0
// A registry in memory that keeps what arrived of an upload that was cut, as the specification suggests and
// docker-registry does not.
#pragma once

#include <map>
#include <set>
#include <string>

#include "host/store/digest.h"
#include "tests/host/sources/http_server.h"

namespace roundhouse::test {

// Answers the calls of the distribution API that touch blobs and uploads, of every repository alike but for
// mounts. A handler for HttpServer.
struct FakeRegistry {
  std::map<std::string, std::string> blobs;    // by "repository@sha256:..."
  std::map<std::string, std::string> uploads;  // by number
  std::string minimum_chunk;                   // OCI-Chunk-Min-Length, when it is not empty
  bool forgetful = false;                      // no session outlives its request
  unsigned accept_at_most = 0;                 // bytes of a chunk; 0: all

  ServerReply operator()(const ServerRequest& request);

 private:
  ServerReply begin(const ServerRequest& request, const std::string& repository);
  ServerReply on_upload(const ServerRequest& request, const std::string& repository, const std::string& id);
  ServerReply patch(const ServerRequest& request, const std::string& id);
  ServerReply state(unsigned status, const std::string& id) const;
};

ServerReply refusal(unsigned status, const std::string& code, const std::string& message);

}  // namespace roundhouse::test
