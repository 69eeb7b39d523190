// SPDX-License-Identifier: Apache-2.0
// What systemd and its like say to a service and want to hear of it (sd_listen_fds(3), sd_notify(3)).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/server/http/listen.h"

namespace roundhouse::host {

// The sockets from descriptor 3 on that LISTEN_PID and LISTEN_FDS promise this process; none without. Throws
// INVALID_ARGUMENT for one that does not listen.
std::vector<http::ListenPlace> inherited_places(
    const std::function<std::optional<std::string>(const std::string&)>& environment);

// Sends "READY=1", "STOPPING=1" to the socket in NOTIFY_SOCKET, where there is one. Nobody waits for an
// answer.
void notify_service_manager(const std::string& state);

}  // namespace roundhouse::host
