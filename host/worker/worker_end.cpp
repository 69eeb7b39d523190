// SPDX-License-Identifier: Apache-2.0
// Wait statuses as sentences.
#include "host/worker/worker_end.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "host/worker/engine_error.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kLongestLine = 200;

std::string signal_text(int signal) {
  const char* name = sigabbrev_np(signal);
  return fmt::format("signal {}{}", signal, (name != nullptr ? " (SIG" + std::string(name) + ")" : ""));
}

}  // namespace

std::string last_line(const std::string& text) {
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return "";
  const std::size_t newline = text.find_last_of('\n', end);
  const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
  std::string line = text.substr(begin, std::min(end + 1 - begin, kLongestLine));
  for (char& c : line) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return line;
}

Error error_of(const WorkerEnd& end) {
  const std::string engine = engine_called(end.engine);
  const std::string words = end.last_words.empty() ? "" : "; its last words: " + end.last_words;
  const bool killed = end.status && WIFSIGNALED(*end.status) && WTERMSIG(*end.status) == SIGKILL;
  if (killed && end.memory_killed) {
    return Error(RH_OUT_OF_MEMORY, engine + " was killed by the kernel in " + end.phase +
                                       " because memory had run out" + words);
  }
  if (end.status && WIFSIGNALED(*end.status)) {
    return Error(RH_ENGINE_CRASHED, engine + " died of " + signal_text(WTERMSIG(*end.status)) + " in " +
                                        end.phase + (killed ? ", killed from outside" : "") + words);
  }
  const std::string status =
      end.status ? fmt::format(" with status {}", WEXITSTATUS(*end.status)) : std::string();
  return Error(RH_ENGINE_CRASHED, engine + " ended its process" + status + " in " + end.phase + words);
}

}  // namespace roundhouse::host
