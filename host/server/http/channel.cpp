// SPDX-License-Identifier: Apache-2.0
// Bytes between two threads.
#include "host/server/http/channel.h"

#include <fmt/format.h>

#include "host/server/http/response_head.h"

namespace roundhouse::host::http {
namespace {

constexpr std::size_t kOutgoing = std::size_t{256} << 10;  // bytes of a stream that may wait for the client

bool has_no_body(int status) {
  return status == 204 || status == 304;
}

}  // namespace

Channel::Channel(Request request, Setting setting)
    : request_(std::move(request)), setting_(std::move(setting)) {
}

void Channel::header(const std::string& name, const std::string& value) {
  if (!is_field(name, value)) throw Error(RH_INTERNAL, "field '" + name + "' cannot be written");
  setting_.fields.emplace_back(name, value);
}

void Channel::put_head(int status, const std::string& content_type, std::optional<std::size_t> length) {
  if (answered()) throw Error(RH_INTERNAL, "route " + request_.route + " answered twice");
  // A body that nobody read would be taken for the next request.
  keep_ = setting_.keep_alive && !setting_.body_pending && !setting_.stopping() &&
          (length.has_value() || setting_.chunks);
  HttpError::Fields fields = setting_.fields;
  if (!content_type.empty() && !has_no_body(status)) fields.emplace_back("Content-Type", content_type);
  if (!has_no_body(status)) {
    if (length) {
      fields.emplace_back("Content-Length", std::to_string(*length));
    } else if (setting_.chunks) {
      fields.emplace_back("Transfer-Encoding", "chunked");
    }
  }
  if (!keep_) fields.emplace_back("Connection", "close");
  status_ = status;
  put(response_head(status, fields));
}

void Channel::put(std::string bytes) {
  {
    const std::lock_guard lock(mutex_);
    if (gone_ || closed_) return;
    if (outgoing_.empty()) {
      outgoing_ = std::move(bytes);
    } else {
      outgoing_ += bytes;
    }
  }
  setting_.wake();
}

void Channel::send(int status, const std::string& content_type, std::string body) {
  put_head(status, content_type, body.size());
  if (request_.method != "HEAD" && !has_no_body(status)) put(std::move(body));
}

Stream& Channel::begin(int status, const std::string& content_type) {
  put_head(status, content_type, std::nullopt);
  stream_type_ = content_type;
  return *this;
}

bool Channel::write(std::string_view piece) {
  if (piece.empty() || request_.method == "HEAD") return !gone_;
  put(setting_.chunks ? chunk_of(piece) : std::string(piece));
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return gone_ || closed_ || outgoing_.size() + in_flight_ < kOutgoing; });
  return !gone_ && !closed_;
}

std::string Channel::read_body() {
  if (!setting_.body_pending) return "";
  {
    const std::lock_guard lock(mutex_);
    wants_body_ = true;
  }
  setting_.wake();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return piece_ || body_error_ || gone_ || closed_ || cancelled_; });
  wants_body_ = false;
  if (body_error_) throw HttpError(*body_error_);
  if (!piece_) throw Error(RH_CANCELLED, "the client left before its request had arrived");
  std::string piece = std::move(*piece_);
  piece_.reset();
  if (piece.empty()) setting_.body_pending = false;
  body_bytes_ += piece.size();
  if (body_bytes_ > setting_.body_limit) {
    throw HttpError(413, RH_INVALID_ARGUMENT,
                    fmt::format("the body is larger than {} bytes", setting_.body_limit));
  }
  return piece;
}

void Channel::fail(const Error& error) {
  const int status = status_of(error);
  const auto told = [&](std::string_view words) { return setting_.told(std::string(words)); };
  const std::string text = setting_.dialect->failure(
      request_, Error(error.code(), told(error.what()), told(error.hint())), status);
  if (answered()) {
    if (stream_type_.empty()) return;  // the answer was whole already
    const std::string& name = setting_.dialect->failure_event;
    const std::string event = name.empty() ? "" : "event: " + name + "\n";
    write(stream_type_ == kEventStream ? event + "data: " + text + "\n\n" : text + "\n");
    return;
  }
  if (const auto* http = dynamic_cast<const HttpError*>(&error)) {
    for (const auto& [name, value] : http->fields())
      setting_.fields.emplace_back(name, value);
  }
  send(status, kJson, text);
}

void Channel::finish() {
  if (!stream_type_.empty() && setting_.chunks && request_.method != "HEAD") put(chunk_of(""));
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  setting_.wake();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_; });
}

Channel::Work Channel::take() {
  const std::lock_guard lock(mutex_);
  Work work;
  work.bytes = std::move(outgoing_);
  outgoing_.clear();
  in_flight_ = work.bytes.size();
  work.finished = finished_;
  work.wants_body = wants_body_ && !piece_ && !body_error_ && !gone_;
  return work;
}

void Channel::written(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_written_ += bytes;
  in_flight_ -= std::min(bytes, in_flight_);
  changed_.notify_all();
}

void Channel::deliver(std::string piece) {
  const std::lock_guard lock(mutex_);
  piece_ = std::move(piece);
  changed_.notify_all();
}

void Channel::deliver(const HttpError& error) {
  const std::lock_guard lock(mutex_);
  body_error_ = error;
  changed_.notify_all();
}

void Channel::left() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  cancelled_ = true;
  changed_.notify_all();
}

void Channel::gone() {
  const std::lock_guard lock(mutex_);
  gone_ = true;
  cancelled_ = true;
  outgoing_.clear();
  in_flight_ = 0;
  changed_.notify_all();
}

void Channel::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  changed_.notify_all();
}

void Channel::closed() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

bool Channel::keeps_connection() const {
  return keep_ && !client_left();
}

}  // namespace roundhouse::host::http
