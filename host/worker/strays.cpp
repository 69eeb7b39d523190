// SPDX-License-Identifier: Apache-2.0
#include "host/worker/strays.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr int kRounds = 20;      // what is killed leaves its own children to us
constexpr int kReapTries = 200;  // of 5 ms: who is killed may be in an uninterruptible wait

std::string content_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

bool carries(pid_t process, const std::string& mark) {
  const std::string environment = std::string(1, '\0') + content_of(fmt::format("/proc/{}/environ", process));
  return environment.find(std::string(1, '\0') + mark + std::string(1, '\0')) != std::string::npos;
}

void end(pid_t process) {
  ::kill(process, SIGKILL);
  for (int i = 0; i < kReapTries && ::waitpid(process, nullptr, WNOHANG) == 0; ++i)
    ::usleep(5000);
}

}  // namespace

std::vector<pid_t> children_of(pid_t process) {
  std::vector<pid_t> all;
  std::error_code ignored;
  // Each thread has children of its own.
  for (const auto& thread : fs::directory_iterator(fmt::format("/proc/{}/task", process), ignored)) {
    std::istringstream list(content_of(thread.path() / "children"));
    for (pid_t child = 0; list >> child;)
      all.push_back(child);
  }
  return all;
}

bool is_zombie(pid_t process) {
  const std::string line = content_of(fmt::format("/proc/{}/stat", process));
  const auto name_end = line.rfind(')');  // the name may hold anything
  return name_end == std::string::npos || line.substr(name_end).starts_with(") Z");
}

std::string process_name(pid_t process) {
  std::string name = content_of(fmt::format("/proc/{}/comm", process));
  if (name.ends_with('\n')) name.pop_back();
  return fmt::format("{} ({})", name, process);
}

void adopt_strays() {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

std::string new_worker_mark() {
  static std::atomic<std::uint64_t> number{0};
  return fmt::format("ROUNDHOUSE_WORKER={}.{}", getpid(), ++number);
}

std::vector<std::string> end_strays(const std::string& mark, pid_t worker) noexcept {
  std::vector<std::string> ended;
  try {
    for (int round = 0; round < kRounds; ++round) {
      const std::size_t before = ended.size();
      for (const pid_t child : children_of(getpid())) {
        if (child == worker || !carries(child, mark)) continue;
        ended.push_back(process_name(child));
        end(child);
      }
      if (ended.size() == before) break;
    }
  } catch (...) {  // no memory to look: the next worker's end looks again
  }
  return ended;
}

}  // namespace roundhouse::host
