// SPDX-License-Identifier: Apache-2.0
// Places where a server listens: TCP addresses, Unix sockets, and sockets that who started it has opened.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace roundhouse::host::http {

struct ListenPlace {
  std::string host;            // an address; empty for the others
  std::uint16_t port = 0;      // 0: any that is free
  std::filesystem::path path;  // of a Unix socket
  int descriptor = -1;         // an open socket that listens already; the listener's to close
  unsigned mode = 0600;        // of a Unix socket's file

  // "http://127.0.0.1:11435", "unix:/run/roundhouse.sock".
  std::string url() const;
};

ListenPlace tcp_place(const std::string& host, std::uint16_t port);
// Of "127.0.0.1:11435", "[::1]:0" (whether the host is an address shows when it is listened on) and
// "unix:/run/roundhouse.sock". Throws INVALID_ARGUMENT; `where` begins the message.
ListenPlace parse_listen_place(const std::string& where, const std::string& text);

// Of a socket that listens already, from who started this program; it is not to be given on to others. Throws
// INVALID_ARGUMENT where the descriptor is none.
ListenPlace inherited_place(int descriptor);

// A socket that listens. The file of a Unix socket that it has made is removed with it.
class Listener {
 public:
  // The file of a Unix socket that nobody listens on any more is replaced. Throws IO_ERROR where it cannot
  // listen, such as where another does; INVALID_ARGUMENT for an address or a path that is none.
  explicit Listener(const ListenPlace& place);
  ~Listener();
  Listener(Listener&& other) noexcept;
  Listener& operator=(Listener&&) = delete;

  // With the port that it has.
  const ListenPlace& place() const { return place_; }
  int family() const { return family_; }
  // The descriptor, which is the caller's from now on.
  int release();

 private:
  void open_tcp();
  void open_unix();
  void bind_unix(const std::string& path);
  void adopt();
  [[noreturn]] void refuse(const std::string& what, int error) const;

  ListenPlace place_;
  int descriptor_ = -1;
  int family_ = 0;
  std::uint64_t device_ = 0, inode_ = 0;  // of the file that it has made; 0 = none
};

}  // namespace roundhouse::host::http
