// SPDX-License-Identifier: Apache-2.0
// Status lines, dates and chunks.
#include "host/server/http/response_head.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <ostream>

#include <boost/beast/http/status.hpp>  // needs <ostream> and does not say so

namespace roundhouse::host::http {
namespace {

std::string reason_of(int status) {
  if (status == 499) return "Client Closed Request";
  return std::string(
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(status))));
}

// As RFC 9110 wants it: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string date() {
  const std::time_t now = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&now, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

}  // namespace

std::string response_head(int status, const HttpError::Fields& fields) {
  std::string text = fmt::format("HTTP/1.1 {} {}\r\n", status, reason_of(status));
  text += "Date: " + date() + "\r\n";
  for (const auto& [name, value] : fields)
    text += name + ": " + value + "\r\n";
  return text + "\r\n";
}

std::string chunk_of(std::string_view piece) {
  char size[24];
  std::snprintf(size, sizeof size, "%zx\r\n", piece.size());
  return size + std::string(piece) + "\r\n";
}

bool is_field(std::string_view name, std::string_view value) {
  const auto token = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  const auto text = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || c == '\t';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), token) &&
         std::all_of(value.begin(), value.end(), text);
}

}  // namespace roundhouse::host::http
