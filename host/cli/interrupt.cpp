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
std::atomic<bool> interrupted{false}, hung_up{false};
std::atomic<int> ended_by{0};  // the first signal that was noted
std::atomic<std::int64_t> first_time{0};
std::atomic<int> owner{nobody};  // of the one object on standard output
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free &&
                  std::atomic<std::int64_t>::is_always_lock_free,
              "a signal handler may touch nothing else");

struct Object {
  std::array<char, 1024> text{};
  std::size_t size = 0;
};
Object on_int, on_term;  // written before the handler is set, never after

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

int status_of(int signal) {
  return 128 + signal;  // as shells say it
}

void on_interrupt(int signal) {
  if (const int first = ended_by.load()) signal = first;  // one run, one status
  if (watched.load()) {
    std::int64_t first = 0;
    if (first_time.compare_exchange_strong(first, milliseconds())) {
      ended_by = signal;
      interrupted = true;
      return;
    }
    if (milliseconds() - first < kSameSignal) return;
  }
  const Object& object = signal == SIGTERM ? on_term : on_int;
  if (object.size != 0) {
    int free = nobody;
    if (!owner.compare_exchange_strong(free, handler)) return;  // the object is being written: let it be
    write_all(STDOUT_FILENO, {object.text.data(), object.size});
  }
  write_all(STDERR_FILENO, "error: CANCELLED: interrupted\n");
  _exit(status_of(signal));
}

void on_hangup(int, siginfo_t* information, void*) {
  if (information->si_code == SI_KERNEL) {
    on_interrupt(SIGTERM);
  } else {
    hung_up = true;
  }
}

void prepare(Object& object, int signal) {
  const std::string text = error_text(Error(RH_CANCELLED, "interrupted"), status_of(signal));
  object.size = std::min(text.size(), object.text.size());
  std::copy_n(text.begin(), object.size, object.text.begin());
}

}  // namespace

void leave_on_interrupt(bool json) {
  if (json) {
    prepare(on_int, SIGINT);
    prepare(on_term, SIGTERM);
  }
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

bool take_interrupt() {
  if (!interrupted || ended_by != SIGINT) return false;
  ended_by = 0;
  interrupted = false;
  first_time = 0;  // last: from here on a signal is a new one
  return true;
}

int interrupted_status() {
  return interrupted ? status_of(ended_by) : exit_status(RH_CANCELLED);
}

void watch_hangups() {
  struct sigaction action {};
  action.sa_sigaction = on_hangup;
  action.sa_flags = SA_SIGINFO;
  sigemptyset(&action.sa_mask);
  sigaction(SIGHUP, &action, nullptr);
}

bool take_hangup() {
  return hung_up.exchange(false);
}

void claim_standard_output() {
  int free = nobody;
  if (owner.compare_exchange_strong(free, program) || free == program) return;
  for (;;)
    pause();  // the handler is about to end the process
}

}  // namespace roundhouse::host
