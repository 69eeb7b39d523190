// SPDX-License-Identifier: Apache-2.0
// Commands as clients of a daemon: where it is, who is asking, and its failures as ours.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "host/cli/flags.h"
#include "host/cli/report.h"
#include "host/transport/http_client.h"

namespace roundhouse::host {

// --server, --api-key-file and --allow-http.
struct DaemonFlags {
  std::optional<std::string> server, api_key_file;
  bool allow_http = false;

  // `server_help` says what --server means to this command.
  void declare(FlagTable& command, const std::string& server_help);
};

// Belongs to one thread. A signal that was noted (watch_interrupts) ends a request with CANCELLED; a daemon
// whose client has gone cancels what it does for it.
class DaemonClient {
 public:
  // For requests that are answered at once, and for those that may wait for others.
  static constexpr std::chrono::milliseconds kBrief{60'000}, kPatient{std::chrono::hours(24 * 365)};

  // At the address of --server, else of ROUNDHOUSE_SERVER, else the default port of this machine; a scheme
  // may be left out, and "unix:/path" is a Unix socket. The key is the first of --api-key-file, else
  // ROUNDHOUSE_API_KEY. `silence` is how long it may say nothing. Throws INVALID_ARGUMENT for what is no
  // address, IO_ERROR for a file of keys that cannot be read.
  explicit DaemonClient(const DaemonFlags& flags, std::chrono::milliseconds silence = kBrief);

  // `path` begins with a slash. Throws what the daemon says under its own code and hint, SOURCE_UNREACHABLE
  // where none answers, SOURCE_REJECTED for an answer that is no daemon's, CANCELLED.
  OrderedJson get(const std::string& path);
  OrderedJson post(const std::string& path, const OrderedJson& body);
  // Every line of an NDJSON answer, as it comes. A line that tells of a failure is thrown likewise.
  void stream(const std::string& path, const OrderedJson& body,
              const std::function<void(const OrderedJson&)>& line);

  const Url& url() const { return url_; }
  // Where it is, for people: an address, or "unix:/path".
  std::string place() const;

 private:
  HttpRequest request(const std::string& method, const std::string& path, const OrderedJson& body) const;
  OrderedJson fetch(const HttpRequest& request);

  Url url_;
  std::optional<std::string> key_;
  std::string socket_;  // the path of a Unix socket; empty: none
  HttpClient http_;
};

}  // namespace roundhouse::host
