// SPDX-License-Identifier: Apache-2.0
// The reading half of a connection: one request after the other, head and body.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/system/error_code.hpp>
#include <cstdint>
#include <optional>
#include <string>

#include "host/server/http/admission.h"
#include "host/server/http/beast_stream.h"

namespace roundhouse::host::http {

// Writes all of it within the limit of each write. False: the client is gone.
Task<bool> write_all(WireStream& stream, std::string_view bytes, const Limits& limits);

// On the thread of the stream's executor. Stream and limits outlive it.
class RequestReader {
 public:
  RequestReader(WireStream& stream, const Limits& limits) : stream_(stream), limits_(limits) {}

  // Until the first byte of the next request. False: there will be none.
  Task<bool> wait();

  struct Head {
    bool complete = false;           // `request` holds it
    std::optional<HttpError> error;  // of one that is not; none where there is nobody to be told
  };
  // Method, target and fields into `request`.
  Task<Head> read_head(Request& request);

  // Of the head that was read last.
  bool is_http_1_1() const { return parser_->get().version() >= 11; }
  bool keeps_alive() const { return parser_->keep_alive(); }
  std::optional<std::uint64_t> content_length() const;
  bool body_ends() const { return parser_->is_done(); }  // there is no more of it, or never was
  // The client holds the body back until it is told to go on.
  void expect_continue() { awaits_continue_ = true; }

  enum class Read { ok, damaged, gone };
  struct Piece {
    Read result = Read::ok;
    std::string bytes;   // none at the end of the body
    std::string damage;  // what is wrong with a damaged one
  };
  // The next bytes of the body.
  Task<Piece> read_piece();
  // The time that a whole body may take begins.
  void start_body() { stream_.expires_after(limits_.body_time); }

  // What was read before its turn; who reads ahead puts it here.
  boost::beast::flat_buffer& ahead() { return buffer_; }

 private:
  void take_head(Request& request) const;

  WireStream& stream_;
  const Limits& limits_;
  boost::beast::flat_buffer buffer_{std::size_t{512} << 10};
  std::optional<boost::beast::http::request_parser<boost::beast::http::buffer_body>> parser_;
  bool awaits_continue_ = false;
};

}  // namespace roundhouse::host::http
