// SPDX-License-Identifier: Apache-2.0
#include "host/worker/supervisor.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "host/worker/strays.h"

namespace roundhouse::host {
namespace {

constexpr int kRounds = 2000;  // of 5 ms: who is killed may be in an uninterruptible wait, or have forked

// Reaps everybody; whether the worker was among them.
bool reap(pid_t worker, int& status) {
  bool ended = false;
  for (;;) {
    int one = 0;
    const pid_t child = ::waitpid(-1, &one, WNOHANG);
    if (child <= 0) return ended;
    if (child == worker) {
      status = one;
      ended = true;
    }
  }
}

// Who is killed leaves its own children to this process: until there are none.
void end_tree(pid_t worker, int& status) {
  for (int round = 0; round < kRounds; ++round) {
    reap(worker, status);
    const std::vector<pid_t> left = children_of(::getpid());
    if (left.empty()) return;
    for (const pid_t child : left)
      ::kill(child, SIGKILL);
    ::usleep(5000);
  }
}

[[noreturn]] void end_as(int status) {
  if (!WIFSIGNALED(status)) ::_exit(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::kill(::getpid(), signal);
  ::_exit(128 + signal);
}

[[noreturn]] void supervise(pid_t worker) {
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  int status = SIGKILL;  // as waitpid says it
  for (bool ended = false; !ended;) {
    const int signal = ::sigwaitinfo(&awaited, nullptr);
    if (signal == SIGTERM) {
      ::kill(-worker, SIGKILL);
      ::kill(worker, SIGKILL);
      break;
    }
    ended = reap(worker, status);
  }
  end_tree(worker, status);
  end_as(status);
}

// In place: what /proc/PID/cmdline shows.
void rename_role(char* role, const std::string& name) {
  if (::strlen(role) == name.size()) std::ranges::copy(name, role);
}

void close_all() {
  ::close_range(0, ~0U, 0);
  for (int i = 0; i < 3; ++i)
    ::open("/dev/null", O_RDWR);
}

}  // namespace

void split_off_supervisor(pid_t host, char* role) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != host) ::_exit(0);  // it died before the line above
  adopt_strays();
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, &before);
  const pid_t self = ::getpid();
  const std::string was = role;
  rename_role(role, "--keeper");  // before there are two of that name
  const pid_t worker = ::fork();
  if (worker < 0) {
    std::perror("cannot start a worker: fork");
    ::_exit(1);
  }
  ::setpgid(worker, worker);  // in both: whoever comes first
  if (worker == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != self) ::_exit(0);
    rename_role(role, was);
    ::sigprocmask(SIG_SETMASK, &before, nullptr);
    return;
  }
  close_all();
  ::prctl(PR_SET_NAME, "rh-keeper");
  supervise(worker);
}

// The kernel lists children in the order in which they became so, and the worker was the first.
pid_t worker_of(pid_t supervisor) {
  const std::vector<pid_t> all = children_of(supervisor);
  return all.empty() ? 0 : all.front();
}

}  // namespace roundhouse::host
