// SPDX-License-Identifier: Apache-2.0
#include "host/transport/request_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

namespace roundhouse::host {
namespace {

constexpr std::size_t kPieceBytes = 256 << 10;

bool is_token(const std::string& text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_field_value(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return c == '\t' || (static_cast<unsigned char>(c) >= ' ' && c != 0x7f); });
}

void put_field(std::string& head, const std::string& name, const std::string& value) {
  // The value may be a credential: it is in no message.
  if (!is_token(name) || !is_field_value(value))
    throw Error(RH_INVALID_ARGUMENT, "http header '" + name + "': cannot be sent, expected one line of text");
  head += name + ": " + value + "\r\n";
}

std::uint64_t body_size(const HttpRequest& request) {
  return request.file ? request.file->size : request.body.size();
}

void send_file(Connection& connection, const HttpRequest& request) {
  const FileRange& range = *request.file;
  const auto fail = [&](const std::string& what) {
    throw Error(RH_IO_ERROR, "file '" + range.path.string() + "': " + what);
  };
  const int file = ::open(range.path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) fail(std::generic_category().message(errno));
  const std::unique_ptr<const int, void (*)(const int*)> closer(&file,
                                                                [](const int* opened) { ::close(*opened); });
  std::string piece(kPieceBytes, '\0');
  for (std::uint64_t done = 0; done < range.size;) {
    const auto wanted = std::min<std::uint64_t>(piece.size(), range.size - done);
    const ssize_t count = ::pread(file, piece.data(), wanted, static_cast<off_t>(range.offset + done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail(std::generic_category().message(errno));
    if (count == 0) fail(fmt::format("ended before {} bytes", range.offset + range.size));
    connection.write_all({piece.data(), static_cast<std::size_t>(count)});
    done += static_cast<std::uint64_t>(count);
    if (request.sent) request.sent(done);
  }
}

void send_text(Connection& connection, const HttpRequest& request) {
  for (std::size_t done = 0; done < request.body.size();) {
    const std::string_view piece = std::string_view(request.body).substr(done, kPieceBytes);
    connection.write_all(piece);
    done += piece.size();
    if (request.sent) request.sent(done);
  }
}

}  // namespace

std::string request_head(const HttpRequest& request, const Url& url, bool authorized,
                         const std::string& user_agent, const std::optional<Proxy>& proxy) {
  if (!is_token(request.method))
    throw Error(RH_INVALID_ARGUMENT, "http method '" + request.method + "' is not an HTTP method");
  std::string head = request.method + " " + (proxy ? url.text() : url.target()) + " HTTP/1.1\r\n";
  put_field(head, "Host", url.authority());
  for (const auto& [name, value] : request.headers)
    put_field(head, name, value);
  const auto otherwise = [&](const char* name, const std::string& value) {
    if (request.headers.find(name) == nullptr) put_field(head, name, value);
  };
  otherwise("User-Agent", user_agent);
  otherwise("Accept", "*/*");
  otherwise("Accept-Encoding", "identity");
  if (proxy && proxy->authorization) put_field(head, "Proxy-Authorization", *proxy->authorization);
  if (authorized && request.authorization) put_field(head, "Authorization", *request.authorization);
  if (body_size(request) > 0 || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH")
    put_field(head, "Content-Length", std::to_string(body_size(request)));
  return head + "\r\n";
}

void send_body(Connection& connection, const HttpRequest& request) {
  request.file ? send_file(connection, request) : send_text(connection, request);
}

}  // namespace roundhouse::host
