// SPDX-License-Identifier: Apache-2.0
#include "host/server/http/request_reader.h"

#include <fmt/format.h>

#include <boost/asio/write.hpp>
#include <boost/beast/http/read.hpp>

namespace roundhouse::host::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

bool is_end(const error_code& code) {
  return code == beast_http::error::end_of_stream || code == beast_http::error::partial_message;
}

bool is_of_http(const error_code& code) {
  return code.category() == make_error_code(beast_http::error::bad_method).category();
}

// What is wrong with a head that Beast could not read; none where there is nobody to be told.
std::optional<HttpError> head_error(const error_code& code, const Limits& limits) {
  if (code == beast_http::error::header_limit || code == beast_http::error::buffer_overflow) {
    return HttpError(431, RH_INVALID_ARGUMENT,
                     fmt::format("the head of the request is larger than {} bytes", limits.header_bytes));
  }
  if (code == beast_http::error::bad_version) {
    return HttpError(505, RH_INVALID_ARGUMENT, "the version of HTTP is not known, expected 1.0 or 1.1");
  }
  if (is_end(code) || !is_of_http(code)) return std::nullopt;
  return HttpError(400, RH_INVALID_ARGUMENT, "the request is not HTTP: " + code.message());
}

}  // namespace

Task<bool> write_all(WireStream& stream, std::string_view bytes, const Limits& limits) {
  while (!bytes.empty()) {
    stream.expires_after(limits.write_time);
    const auto [code, size] =
        co_await boost::asio::async_write(stream, boost::asio::buffer(bytes.substr(0, kPiece)), kResume);
    if (code) co_return false;
    bytes.remove_prefix(size);
  }
  co_return true;
}

Task<bool> RequestReader::wait() {
  if (buffer_.size() > 0) co_return true;
  stream_.expires_after(limits_.idle_time);
  const auto [code, size] = co_await stream_.async_read_some(buffer_.prepare(4096), kResume);
  buffer_.commit(size);
  co_return !code;
}

Task<RequestReader::Head> RequestReader::read_head(Request& request) {
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes));
  parser_->body_limit(boost::none);
  awaits_continue_ = false;
  stream_.expires_after(limits_.header_time);
  const auto [code, size] = co_await beast_http::async_read_header(stream_, buffer_, *parser_, kResume);
  Head head;
  head.complete = !code;
  if (code) head.error = head_error(code, limits_);
  if (!code) take_head(request);
  co_return head;
}

void RequestReader::take_head(Request& request) const {
  const auto& message = parser_->get();
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  for (const auto& field : message)
    request.headers.add(std::string(field.name_string()), std::string(field.value()));
  // A client of that version names no host where it means this one.
  if (message.version() < 11 && request.headers.count("Host") == 0) request.headers.add("Host", "localhost");
}

std::optional<std::uint64_t> RequestReader::content_length() const {
  const auto length = parser_->content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

Task<RequestReader::Piece> RequestReader::read_piece() {
  Piece piece;
  if (awaits_continue_) {
    awaits_continue_ = false;
    piece.result = Read::gone;
    if (!co_await write_all(stream_, "HTTP/1.1 100 Continue\r\n\r\n", limits_)) co_return piece;
    start_body();
  }
  piece.bytes.resize(kPiece);
  auto& body = parser_->get().body();
  body.data = piece.bytes.data();
  body.size = piece.bytes.size();
  body.more = true;
  const auto [code, size] = co_await beast_http::async_read_some(stream_, buffer_, *parser_, kResume);
  piece.bytes.resize(piece.bytes.size() - body.size);
  piece.result = Read::ok;
  if (code && code != beast_http::error::need_buffer) {
    const bool damaged = is_of_http(code) && !is_end(code);
    piece.result = damaged ? Read::damaged : Read::gone;
    if (damaged) piece.damage = "the body is damaged: " + code.message();
  }
  co_return piece;
}

}  // namespace roundhouse::host::http
