// SPDX-License-Identifier: Apache-2.0
// What a Hugging Face hub says of a repository. Everything it says is checked before it is believed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "host/sources/hub_options.h"
#include "host/store/digest.h"
#include "host/transport/http_client.h"

namespace roundhouse::host {

struct HubFile {
  std::string path;  // safe, with '/'
  std::uint64_t size = 0;
  std::string git_sha1;          // of a file that lies in the repository itself
  std::optional<Digest> sha256;  // of a large one
};

// Throws what HttpClient throws; AUTH_REQUIRED for 401, 403 and gated repositories; MODEL_NOT_FOUND for a
// repository or revision that does not exist; SOURCE_REJECTED for answers that make no sense; UNSAFE_NAME for
// paths that lead out of a directory. Answers that ask for backoff are tried again.
class HubApi {
 public:
  // Both live longer.
  HubApi(const HubOptions& options, HttpClient& client) : options_(options), client_(client) {}

  // The commit that the revision stands for: 40 hexadecimal digits.
  std::string commit(const HubRepository& repository);
  // All files at the commit, by path.
  std::vector<HubFile> files(const std::string& repository, const std::string& commit);

 private:
  HttpResponse get(const Url& url, const HubRepository& repository);

  const HubOptions& options_;
  HttpClient& client_;
};

// The URL of what lies at `target` ("/api/...") of the endpoint.
Url hub_url(const HubOptions& options, const std::string& target);
std::optional<std::string> hub_authorization(const HubOptions& options);

// Throws what an answer other than 200 or 206 means; SourceBusy where time may heal it.
[[noreturn]] void throw_hub_answer(const HttpResponse& response, const HubRepository& repository,
                                   const std::string& path);

}  // namespace roundhouse::host
