// SPDX-License-Identifier: Apache-2.0
#include "host/cli/service_manager.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstring>

#include "host/cli/program.h"

namespace roundhouse::host {
namespace {

constexpr int kFirstDescriptor = 3;  // SD_LISTEN_FDS_START
constexpr int kMost = 64;

// -1 for what is no number.
long number_in(const std::optional<std::string>& text) {
  long number = -1;
  if (!text) return -1;
  const char* end = text->data() + text->size();
  const auto [stopped, error] = std::from_chars(text->data(), end, number);
  return error == std::errc() && stopped == end ? number : -1;
}

}  // namespace

std::vector<http::ListenPlace> inherited_places(
    const std::function<std::optional<std::string>(const std::string&)>& environment) {
  std::vector<http::ListenPlace> places;
  if (number_in(environment("LISTEN_PID")) != getpid()) return places;
  const long count = number_in(environment("LISTEN_FDS"));
  for (long i = 0; i < count && i < kMost; ++i)
    places.push_back(http::inherited_place(static_cast<int>(kFirstDescriptor + i)));
  return places;
}

void notify_service_manager(const std::string& state) {
  const auto path = environment_variable("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (!path || path->size() < 2 || path->size() >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path->data(), path->size());
  if (path->front() == '@') address.sun_path[0] = '\0';  // a name without a file
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size());
  ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
           reinterpret_cast<const sockaddr*>(&address), size);
  ::close(descriptor);
}

}  // namespace roundhouse::host
