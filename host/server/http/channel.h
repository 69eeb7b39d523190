// SPDX-License-Identifier: Apache-2.0
// Where the thread of a handler and the thread of the sockets meet: the one puts bytes in, the other takes
// them out, and news of the client goes the other way.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>

#include "host/server/http/exchange.h"
#include "host/server/http/http_error.h"
#include "host/server/http/router.h"

namespace roundhouse::host::http {

class Channel final : public Exchange, public Stream {
 public:
  struct Setting {
    const Dialect* dialect = nullptr;
    bool chunks = true;              // whether the client knows them; else a stream ends with the connection
    bool keep_alive = true;          // what the client wants
    bool body_pending = false;       // a streamed body is still to come
    std::uint64_t body_limit = 0;    // of the streamed body
    HttpError::Fields fields;        // of every answer to this request
    std::function<bool()> stopping;  // whether the server ends: then no answer keeps the connection
    std::function<std::string(const std::string&)> told;  // of an error's message
    std::function<void()> wake;                           // makes the side of the sockets look; any thread
  };
  Channel(Request request, Setting setting);

  // The handler's side.
  const Request& request() const override { return request_; }
  const std::atomic<bool>& cancelled() const override { return cancelled_; }
  void cancel() override;
  void header(const std::string& name, const std::string& value) override;
  void send(int status, const std::string& content_type, std::string body) override;
  Stream& begin(int status, const std::string& content_type) override;
  bool write(std::string_view piece) override;
  std::string read_body() override;
  nlohmann::json& notes() override { return notes_; }
  bool answered() const { return status_ != 0; }
  int status() const { return status_; }
  // Answers with the error, or ends the stream with it.
  void fail(const Error& error);
  // The end of the answer. Returns when all of it was written or the client is gone.
  void finish();

  // The side of the sockets.
  struct Work {
    std::string bytes;        // to be written
    bool finished = false;    // nothing will follow
    bool wants_body = false;  // a handler waits in read_body
  };
  Work take();
  void written(std::size_t bytes);
  void deliver(std::string piece);       // of the body; empty: its end
  void deliver(const HttpError& error);  // instead of the body's next piece
  void left();                           // the client sends no more: it may be gone
  void gone();                           // it cannot be written to
  void closed();                         // nothing will be taken any more
  bool keeps_connection() const;         // once finished

  // Once finished.
  std::uint64_t bytes_written() const { return bytes_written_; }
  bool client_left() const { return left_ || gone_; }

 private:
  void put_head(int status, const std::string& content_type, std::optional<std::size_t> length);
  void put(std::string bytes);

  const Request request_;
  Setting setting_;
  nlohmann::json notes_ = nlohmann::json::object();
  std::string stream_type_;  // of a stream that has begun
  std::atomic<bool> cancelled_{false};
  std::atomic<bool> left_{false}, gone_{false};
  std::atomic<int> status_{0};
  std::atomic<bool> keep_{false};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string outgoing_;       // not yet taken
  std::size_t in_flight_ = 0;  // taken, not yet written
  std::uint64_t bytes_written_ = 0;
  bool finished_ = false, closed_ = false;
  bool wants_body_ = false;
  std::uint64_t body_bytes_ = 0;
  std::optional<std::string> piece_;
  std::optional<HttpError> body_error_;
};

}  // namespace roundhouse::host::http
