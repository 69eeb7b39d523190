// SPDX-License-Identifier: Apache-2.0
#include "host/transport/tunnel.h"

#include <fmt/format.h>

#include "host/transport/http.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kMaximumAnswerBytes = 16 << 10;
constexpr unsigned kStatusDigits = 3;

// Byte by byte: what follows belongs to the server.
std::string read_answer(const std::string& shown, TunnelWire& wire) {
  std::string answer;
  while (!answer.ends_with("\r\n\r\n")) {
    char byte = 0;
    if (wire.read_some(&byte, 1) == 0)
      throw HttpFailure(HttpFailure::Step::cut, shown + ": connection cut: ended before its answer did");
    answer += byte;
    if (answer.size() > kMaximumAnswerBytes)
      throw Error(RH_SOURCE_REJECTED, shown + ": the answer has more than 16384 bytes");
  }
  return answer;
}

// 0 for what is no answer.
unsigned status_of(const std::string& answer) {
  const std::size_t space = answer.find(' ');
  if (!answer.starts_with("HTTP/1.") || space == std::string::npos) return 0;
  unsigned status = 0;
  for (std::size_t i = space + 1; i <= space + kStatusDigits; ++i) {
    if (answer[i] < '0' || answer[i] > '9') return 0;
    status = 10 * status + static_cast<unsigned>(answer[i] - '0');
  }
  return status;
}

}  // namespace

Error proxy_wants_login(const Proxy& proxy) {
  return {RH_AUTH_REQUIRED,
          fmt::format("proxy '{}': {}", proxy.url.authority(),
                      proxy.authorization ? "does not accept the user and password that it was given"
                                          : "asks for a user and a password"),
          "write them into the variable: http://USER:PASSWORD@HOST:PORT"};
}

void open_tunnel(const Url& url, const Proxy& proxy, const std::string& shown, TunnelWire& wire) {
  const std::string host = url.host().find(':') == std::string::npos ? url.host() : "[" + url.host() + "]";
  const std::string target = fmt::format("{}:{}", host, url.port());
  std::string request = fmt::format("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", target);
  if (proxy.authorization) request += "Proxy-Authorization: " + *proxy.authorization + "\r\n";
  wire.write_all(request + "\r\n");
  const unsigned status = status_of(read_answer(shown, wire));
  if (status == kProxyLogin) throw proxy_wants_login(proxy);
  if (status == 0) throw Error(RH_SOURCE_REJECTED, shown + ": its answer is not HTTP");
  if (status < 200 || status >= 300)
    throw HttpFailure(HttpFailure::Step::connect,
                      fmt::format("{}: answers {} when asked for '{}'", shown, status, target));
}

}  // namespace roundhouse::host
