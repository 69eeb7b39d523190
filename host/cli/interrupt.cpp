// SPDX-License-Identifier: Apache-2.0
// Ctrl-C.
#include "host/cli/interrupt.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdint>
#include <ctime>
#include <string_view>

#include "host/cli/report.h"

namespace roundhouse::host {
namespace {

constexpr std::int64_t kSameSignal = 200;  // milliseconds

enum Owner : int { nobody, program, handler };

std::atomic<bool> watched{false};
std::atomic<bool> interrupted{false};
std::atomic<std::int64_t> first_time{0};
std::atomic<int> owner{nobody};  // of the one object on standard output
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
                  std::atomic<std::int64_t>::is_always_lock_free,
              "a signal handler may touch nothing else");

std::array<char, 1024> object{};  // written before the handler is set, never after
std::size_t object_size = 0;

std::int64_t milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return std::int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = write(descriptor, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void on_interrupt(int) {
  if (watched.load()) {
    std::int64_t first = 0;
    if (first_time.compare_exchange_strong(first, milliseconds())) {
      interrupted = true;
      return;
    }
    if (milliseconds() - first < kSameSignal) return;
  }
  if (object_size != 0) {
    int free = nobody;
    if (!owner.compare_exchange_strong(free, handler)) return;  // the object is being written: let it be
    write_all(STDOUT_FILENO, {object.data(), object_size});
  }
  write_all(STDERR_FILENO, "error: CANCELLED: interrupted\n");
  _exit(exit_status(RH_CANCELLED));
}

}  // namespace

void leave_on_interrupt(bool json) {
  const std::string text = json ? error_text(Error(RH_CANCELLED, "interrupted")) : "";
  object_size = std::min(text.size(), object.size());
  std::copy_n(text.begin(), object_size, object.begin());
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

const std::atomic<bool>& interrupt_flag() {
  return interrupted;
}

bool interrupt_noted() {
  return interrupted;
}

void claim_standard_output() {
  int free = nobody;
  if (owner.compare_exchange_strong(free, program) || free == program) return;
  for (;;)
    pause();  // the handler is about to end the process
}

}  // namespace roundhouse::host
