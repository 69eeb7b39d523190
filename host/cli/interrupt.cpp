// SPDX-License-Identifier: Apache-2.0
// Ctrl-C.
#include "host/cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <string_view>

#include "roundhouse/status.hpp"

namespace roundhouse::host {
namespace {

std::atomic<bool> watched{false};
std::atomic<bool> interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may touch nothing else");

void on_interrupt(int) {
  if (watched.load() && !interrupted.exchange(true)) return;
  constexpr std::string_view kLine = "error: CANCELLED: interrupted\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kLine.data(), kLine.size());
  _exit(exit_status(RH_CANCELLED));
}

}  // namespace

void leave_on_interrupt() {
  struct sigaction action {};
  action.sa_handler = on_interrupt;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

const std::atomic<bool>& watch_interrupts() {
  watched = true;
  return interrupted;
}

}  // namespace roundhouse::host
