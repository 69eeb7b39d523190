// SPDX-License-Identifier: Apache-2.0
#include "host/server/http/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include "host/log/reason.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host::http {
namespace {

constexpr std::string_view kUnix = "unix:";

// Only one program at a time looks at a socket's file and replaces it.
class DirectoryLock {
 public:
  explicit DirectoryLock(const std::filesystem::path& directory)
      : descriptor_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
    if (descriptor_ >= 0) ::flock(descriptor_, LOCK_EX);
  }
  ~DirectoryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  int descriptor_;
};

sockaddr_un unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path || path.find('\0') != std::string::npos) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("socket '{}' has {} bytes, expected a path of 1 to {}", path.substr(0, 200),
                            path.size(), sizeof address.sun_path - 1));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

// Whether the socket's file is one that nobody listens on.
bool is_stale(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const sockaddr_un address = unix_address(path);
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const int result = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const bool refused = result != 0 && errno == ECONNREFUSED;
  ::close(probe);
  return refused;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
}

std::optional<sockaddr_storage> own_name(int descriptor, socklen_t& size) {
  sockaddr_storage address{};
  size = sizeof address;
  if (::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  return address;
}

struct FreeAddresses {
  void operator()(addrinfo* addresses) const { ::freeaddrinfo(addresses); }
};

}  // namespace

std::string ListenPlace::url() const {
  if (!path.empty()) return fmt::format("{}{}", kUnix, path.string());
  if (host.empty()) return fmt::format("descriptor {}", descriptor);
  const bool bare = host.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", bare ? "[" : "", host, bare ? "]" : "", port);
}

ListenPlace tcp_place(const std::string& host, std::uint16_t port) {
  ListenPlace place;
  place.host = host == "localhost" ? "127.0.0.1" : host;
  place.port = port;
  return place;
}

ListenPlace parse_listen_place(const std::string& where, const std::string& text) {
  ListenPlace place;
  if (text.starts_with(kUnix)) {
    const std::string path = text.substr(kUnix.size());
    unix_address(path);
    place.path = std::filesystem::absolute(path);
    return place;
  }
  const auto colon = text.rfind(':');
  std::string host = text.substr(0, colon == std::string::npos ? 0 : colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string::npos) {
    host.clear();
  }
  const std::string port = colon == std::string::npos ? "" : text.substr(colon + 1);
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (host.empty() || port.empty() || error != std::errc() || end != port.data() + port.size()) {
    throw Error(RH_INVALID_ARGUMENT, fmt::format("{}: '{}' is not a place to listen, expected one like "
                                                 "127.0.0.1:11435, [::1]:11435 or unix:/run/roundhouse.sock",
                                                 where, text));
  }
  place.host = host == "localhost" ? "127.0.0.1" : host;
  return place;
}

Listener::Listener(const ListenPlace& place) : place_(place) {
  try {
    if (place.descriptor >= 0) {
      adopt();
    } else if (!place.path.empty()) {
      open_unix();
    } else {
      open_tcp();
    }
  } catch (...) {
    if (descriptor_ >= 0) ::close(descriptor_);
    throw;
  }
}

Listener::~Listener() {
  if (descriptor_ >= 0) ::close(descriptor_);
  struct stat status {};
  const bool own = inode_ != 0 && ::lstat(place_.path.c_str(), &status) == 0 && status.st_ino == inode_ &&
                   status.st_dev == device_;
  if (own) ::unlink(place_.path.c_str());
}

Listener::Listener(Listener&& other) noexcept
    : place_(std::move(other.place_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      family_(other.family_),
      device_(other.device_),
      inode_(std::exchange(other.inode_, 0)) {
}

int Listener::release() {
  return std::exchange(descriptor_, -1);
}

void Listener::refuse(const std::string& what, int error) const {
  if (error == EADDRINUSE) {
    throw Error(RH_IO_ERROR, what + " is in use already",
                place_.path.empty()
                    ? "another program, perhaps another 'roundhouse serve', listens there: end it, or choose "
                      "another --port"
                    : "another program, perhaps another 'roundhouse serve', listens there: end it, or choose "
                      "another path");
  }
  throw Error(RH_IO_ERROR, what + " cannot be listened on: " + reason(error));
}

void Listener::open_tcp() {
  const std::string what = fmt::format("{} port {}", place_.host, place_.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  addrinfo* found = nullptr;
  if (::getaddrinfo(place_.host.c_str(), std::to_string(place_.port).c_str(), &hints, &found) != 0) {
    throw Error(RH_INVALID_ARGUMENT,
                fmt::format("host: '{}' is not an address, expected one like 127.0.0.1 or ::1", place_.host));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> address(found);
  family_ = address->ai_family;
  descriptor_ = ::socket(family_, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  if (descriptor_ < 0 || ::setsockopt(descriptor_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(descriptor_, address->ai_addr, address->ai_addrlen) != 0 ||
      ::listen(descriptor_, SOMAXCONN) != 0) {
    refuse(what, errno);
  }
  socklen_t size = 0;
  if (const auto name = own_name(descriptor_, size)) place_.port = port_of(*name);
}

// The file has its mode from its first moment on: before `bind`, `fchmod` is that of the file to be.
void Listener::bind_unix(const std::string& path) {
  const sockaddr_un address = unix_address(path);
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor_ < 0) refuse(place_.url(), errno);
  ::fchmod(descriptor_, place_.mode);
  if (::bind(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    refuse(place_.url(), errno);
}

void Listener::open_unix() {
  const std::string path = place_.path.string();
  unix_address(path);
  family_ = AF_UNIX;
  const DirectoryLock lock(place_.path.parent_path());
  if (is_stale(path)) ::unlink(path.c_str());
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISSOCK(status.st_mode)) {
    throw Error(RH_IO_ERROR, place_.url() + " cannot be listened on: the file exists and is not a socket",
                "choose another path");
  }
  bind_unix(path);
  if (::chmod(path.c_str(), place_.mode) != 0 || ::lstat(path.c_str(), &status) != 0)
    refuse(place_.url(), errno);
  device_ = status.st_dev;
  inode_ = status.st_ino;
  if (::listen(descriptor_, SOMAXCONN) != 0) refuse(place_.url(), errno);
}

void Listener::adopt() {
  descriptor_ = place_.descriptor;
  int family = 0;
  socklen_t size = sizeof family;
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_DOMAIN, &family, &size) != 0) refuse(place_.url(), errno);
  family_ = family;
}

ListenPlace inherited_place(int descriptor) {
  ListenPlace place;
  place.descriptor = descriptor;
  const std::string what = fmt::format("descriptor {}", descriptor);
  socklen_t size = 0;
  const auto name = own_name(descriptor, size);
  int listens = 0, kind = 0;
  socklen_t length = sizeof listens;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length);
  ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &kind, &length);
  const int family = name ? name->ss_family : AF_UNSPEC;
  if (listens == 0 || kind != SOCK_STREAM || (family != AF_INET && family != AF_INET6 && family != AF_UNIX)) {
    throw Error(RH_INVALID_ARGUMENT, what + " is not a stream socket that listens");
  }
  ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);
  if (family == AF_UNIX) {
    const auto& address = reinterpret_cast<const sockaddr_un&>(*name);
    const std::size_t bytes = size - offsetof(sockaddr_un, sun_path);
    place.path = std::string(address.sun_path, ::strnlen(address.sun_path, bytes));
    return place;
  }
  char text[INET6_ADDRSTRLEN] = "";
  const void* bits = family == AF_INET
                         ? static_cast<const void*>(&reinterpret_cast<const sockaddr_in&>(*name).sin_addr)
                         : static_cast<const void*>(&reinterpret_cast<const sockaddr_in6&>(*name).sin6_addr);
  ::inet_ntop(family, bits, text, sizeof text);
  place.host = text;
  place.port = port_of(*name);
  return place;
}

}  // namespace roundhouse::host::http
