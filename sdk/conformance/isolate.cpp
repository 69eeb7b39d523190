// SPDX-License-Identifier: Apache-2.0
// One case, one process: what the plugin does to it stays in it.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <sstream>
#include <system_error>

#include "sdk/conformance/report.h"

namespace conformance {
namespace {

using Clock = std::chrono::steady_clock;

int checked_call(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

[[noreturn]] void be_child(int report, int output, const std::function<void(Report&)>& work) {
  // A group of its own: what the plugin sends to its group (kill(0, ...)) must not reach the checker.
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  Report to(report);
  try {
    work(to);
  } catch (const Stop&) {
    // the finding is sent already
  } catch (const std::exception& error) {
    to.expect(false, "P18", std::string("an exception reached the checker: ") + error.what());
  } catch (...) {
    to.expect(false, "P18", "an exception reached the checker");
  }
  std::fflush(nullptr);
  to.end();
  _exit(0);
}

// All that the child sent until it closed the pipe or the time was over.
std::string receive(int descriptor, Clock::time_point deadline) {
  std::string all;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd ready{descriptor, POLLIN, 0};
    if (left <= 0 || poll(&ready, 1, static_cast<int>(left)) == 0) return all;
    char buffer[4096];
    const ssize_t got = read(descriptor, buffer, sizeof buffer);
    if (got == 0 || (got < 0 && errno != EINTR)) return all;
    if (got > 0) all.append(buffer, static_cast<std::size_t>(got));
  }
}

// The child's wait status, or -1 after it had to be killed.
int finish(pid_t child, Clock::time_point deadline) {
  int status = 0;
  while (waitpid(child, &status, WNOHANG) == 0) {
    if (Clock::now() >= deadline) {
      kill(-child, SIGKILL);
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return -1;
    }
    usleep(1000);
  }
  return status;
}

std::string first_line_of(int descriptor) {
  char buffer[200];
  const ssize_t got = pread(descriptor, buffer, sizeof buffer, 0);
  std::string text(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
  return text.substr(0, text.find('\n'));
}

}  // namespace

void Report::send(char kind, std::string first, std::string second) {
  std::replace(first.begin(), first.end(), '\n', ' ');
  std::replace(second.begin(), second.end(), '\n', ' ');
  const std::string line = kind + first + '\t' + second + '\n';
  for (std::size_t done = 0; done < line.size();) {
    const ssize_t sent = write(descriptor_, line.data() + done, line.size() - done);
    if (sent < 0 && errno != EINTR) return;
    if (sent > 0) done += static_cast<std::size_t>(sent);
  }
}

void run_case(const std::string& where, int timeout_s, const std::function<void(Report&)>& work,
              Result& result) {
  int ends[2];
  checked_call(pipe2(ends, O_CLOEXEC), "pipe");
  const int output = checked_call(memfd_create("output", MFD_CLOEXEC), "memfd_create");
  std::fflush(nullptr);
  const pid_t child = checked_call(fork(), "fork");
  if (child == 0) {
    close(ends[0]);
    be_child(ends[1], output, work);
  }
  close(ends[1]);
  const auto deadline = Clock::now() + std::chrono::seconds(timeout_s);
  std::istringstream lines(receive(ends[0], deadline));
  close(ends[0]);
  const int status = finish(child, deadline);

  std::string step = "the start";
  bool ended = false;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t tab = line.find('\t');
    if (line.empty() || tab == std::string::npos) continue;
    const std::string first = line.substr(1, tab - 1);
    if (line[0] == 'S') step = first;
    if (line[0] == 'R') result.checked.insert(first);
    if (line[0] == 'F') result.findings.push_back({first, where, line.substr(tab + 1)});
    if (line[0] == 'E') ended = true;
  }
  auto broken = [&](const std::string& text) { result.findings.push_back({"P18", where, text}); };
  result.checked.insert({"P18", "P28"});
  if (status == -1) {
    broken(fmt::format("no answer for {} s in {}", timeout_s, step));
  } else if (WIFSIGNALED(status)) {
    broken(fmt::format("died of signal {} ({}) in {}", WTERMSIG(status), strsignal(WTERMSIG(status)), step));
  } else if (!ended) {
    broken(fmt::format("ended the process with status {} in {}", WEXITSTATUS(status), step));
  }
  const std::string printed = first_line_of(output);
  close(output);
  if (!printed.empty()) result.findings.push_back({"P28", where, "printed: " + printed});
}

}  // namespace conformance
