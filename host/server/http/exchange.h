// SPDX-License-Identifier: Apache-2.0
// One request and its answer, as the handler of a route sees them. A handler is a plain function on a thread
// of its own: it may block, and it answers exactly once.
#pragma once

#include <atomic>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "host/server/http/message.h"

namespace roundhouse::host::http {

inline constexpr const char* kJson = "application/json";
inline constexpr const char* kNdjson = "application/x-ndjson";
inline constexpr const char* kEventStream = "text/event-stream";

// An answer in pieces. It ends when the handler returns.
class Stream {
 public:
  // Hands over one piece (a whole line of NDJSON, a whole event), which arrives whole or not at all as far as
  // this side decides. Blocks while the client is slow to read. False when the client is gone: stop then.
  virtual bool write(std::string_view piece) = 0;

 protected:
  ~Stream() = default;
};

// All members are for the handler's thread, except that `cancelled` may be read from any while it runs.
class Exchange {
 public:
  virtual const Request& request() const = 0;

  // Becomes true when the client has gone or the server ends. Poll it, or hand it to what you call; then end
  // soon, best by throwing CANCELLED.
  virtual const std::atomic<bool>& cancelled() const = 0;
  // Makes it so, as if the client had gone. Any thread, while the handler runs.
  virtual void cancel() = 0;

  // A field of the answer beside those that every answer has; before `send` or `begin`. Throws INTERNAL for a
  // name or a value that no field can have.
  virtual void header(const std::string& name, const std::string& value) = 0;

  // The whole answer.
  virtual void send(int status, const std::string& content_type, std::string body) = 0;

  // The head of an answer in pieces. A handler that throws afterwards ends the stream with the dialect's
  // error as the last line or event.
  virtual Stream& begin(int status, const std::string& content_type) = 0;

  // The next piece of the body, for routes with `streamed_body`; empty at its end. Blocks. Throws CANCELLED
  // when the client goes before the end, an HttpError of 408 or 413 when it is too slow or sends too much.
  virtual std::string read_body() = 0;

  // What the request's line in the log should tell beside the usual: {"engine": "openblas", ...}.
  virtual nlohmann::json& notes() = 0;

 protected:
  ~Exchange() = default;
};

}  // namespace roundhouse::host::http
