// SPDX-License-Identifier: Apache-2.0
// Starts, watches and ends a worker.
#include "host/worker/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "host/worker/stacks.h"
#include "host/worker/strays.h"
#include "host/worker/supervisor.h"
#include "roundhouse/error.hpp"

extern char** environ;

namespace roundhouse::host {
namespace {

constexpr std::size_t kKeptText = 8192;
constexpr int kFirstFreeDescriptor = 10;
constexpr int kLook = 10;           // milliseconds between two looks at what gives no sign
constexpr int kReapTries = 200;     // of 5 ms
constexpr int kChildrenTries = 40;  // of 5 ms
// For the supervisor to end the worker and all else; then it is killed.
constexpr std::chrono::seconds kSupervisor{5};

[[noreturn]] void fail(const char* what, int error) {
  const std::string message = std::string("cannot start a worker: ") + what + ": " + std::strerror(error);
  switch (error) {
    case EMFILE:
    case ENFILE:
      throw Error(RH_IO_ERROR, message,
                  "raise the limit of open files (ulimit -n 1024), or end other programs");
    case EAGAIN:
      throw Error(RH_IO_ERROR, message, "raise the limit of processes (ulimit -u), or end other programs");
    case ENOMEM:
      throw Error(RH_OUT_OF_MEMORY, message, "end other programs, or raise the limit of memory");
    default:
      throw Error(RH_INTERNAL, message);
  }
}

// A copy of the descriptor that is out of the way of 0 to 3, which the child uses, whatever was closed in
// this process.
FileDescriptor out_of_the_way(const FileDescriptor& descriptor) {
  FileDescriptor high(fcntl(descriptor.get(), F_DUPFD_CLOEXEC, kFirstFreeDescriptor));
  if (high.get() < 0) fail("fcntl", errno == EINVAL ? EMFILE : errno);  // EINVAL: beyond what may be open
  return high;
}

struct Pair {
  FileDescriptor ours, theirs;
};

Pair out_of_the_way(const int (&ends)[2]) {
  const FileDescriptor first(ends[0]);
  const FileDescriptor second(ends[1]);
  FileDescriptor ours = out_of_the_way(first);
  return {std::move(ours), out_of_the_way(second)};
}

Pair make_socket() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) fail("socketpair", errno);
  return out_of_the_way(ends);
}

// A pipe to read from without waiting.
Pair make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) fail("pipe2", errno);
  Pair pair = out_of_the_way(ends);
  if (fcntl(pair.ours.get(), F_SETFL, O_NONBLOCK) != 0) fail("fcntl", errno);
  return pair;
}

// This process's environment with the setup's variables in place of those of the same name.
std::vector<std::string> child_environment(const WorkerProcess::Setup& setup, const std::string& mark) {
  std::vector<std::string> variables;
  for (const auto& [name, value] : setup.environment)
    variables.push_back(name + "=" + value);
  const std::size_t own = variables.size();
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    const std::string text = *variable;
    bool replaced = false;
    for (std::size_t i = 0; i < own; ++i) {
      replaced = replaced || text.rfind(setup.environment[i].first + "=", 0) == 0;
    }
    if (!replaced) variables.push_back(text);
  }
  variables.push_back(mark);
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts)
    list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

// posix_spawn's two lists with their owners.
class SpawnPlan {
 public:
  SpawnPlan(int socket, int output, int errors, int stacks) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, 1);
    posix_spawn_file_actions_adddup2(&actions_, errors, 2);
    posix_spawn_file_actions_adddup2(&actions_, socket, 3);
    posix_spawn_file_actions_adddup2(&actions_, stacks, kStackDescriptor);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kStackDescriptor + 1);

    posix_spawnattr_init(&attributes_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~SpawnPlan() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  // 0 or an errno.
  int spawn(const WorkerProcess::Setup& setup, const std::string& mark, pid_t* pid) const {
    std::vector<std::string> arguments{"roundhouse", "--worker", std::to_string(getpid()), setup.label};
    std::vector<std::string> variables = child_environment(setup, mark);
    return posix_spawn(pid, setup.executable.c_str(), &actions_, &attributes_, pointers(arguments).data(),
                       pointers(variables).data());
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

}  // namespace

WorkerProcess::WorkerProcess(const Setup& setup) : mark_(new_worker_mark()) {
  adopt_strays();
  Pair connection = make_socket();
  Pair output = make_pipe();
  Pair errors = make_pipe();
  Pair stacks = make_pipe();
  socket_ = std::move(connection.ours);
  output_.pipe = std::move(output.ours);
  errors_.pipe = std::move(errors.ours);
  stacks_ = std::move(stacks.ours);
  keeper_ = std::thread(&WorkerProcess::keep, this, std::cref(setup),
                        ChildEnds{std::move(connection.theirs), std::move(output.theirs),
                                  std::move(errors.theirs), std::move(stacks.theirs)});
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return pid_ != 0 || ended_; });
  if (pid_ != 0) return;
  lock.unlock();
  keeper_.join();
  fail(setup.executable.c_str(), start_error_);
}

WorkerProcess::~WorkerProcess() {
  shutdown(socket_.get(), SHUT_RDWR);
  if (!wait(kGoodbye)) kill();
  keeper_.join();
}

void WorkerProcess::keep(const Setup& setup, ChildEnds ends) {
  pid_t pid = 0;
  const int error = SpawnPlan(ends.socket.get(), ends.output.get(), ends.errors.get(), ends.stacks.get())
                        .spawn(setup, mark_, &pid);
  for (FileDescriptor* end : {&ends.socket, &ends.output, &ends.errors, &ends.stacks})
    end->reset();
  // Without pidfd (an old kernel) the child is looked at every ten milliseconds.
  // By syscall: glibc 2.36 declares pidfd_open for C only.
  const FileDescriptor end(error == 0 ? static_cast<int>(syscall(SYS_pidfd_open, pid, 0)) : -1);
  {
    const std::lock_guard lock(mutex_);
    start_error_ = error;
    if (error == 0) pid_ = pid;
    ended_ = error != 0;
    changed_.notify_all();  // from here on `setup` may be gone
  }
  if (error != 0) return;
  for (bool ended = false; !ended;) {
    std::array<pollfd, 3> waiting{{{end.get(), POLLIN, 0}, {-1, POLLIN, 0}, {-1, POLLIN, 0}}};
    bool is_known = false;
    {
      const std::lock_guard lock(mutex_);
      is_known = find_worker() != 0;
      waiting[1].fd = output_.pipe.get();
      waiting[2].fd = errors_.pipe.get();
    }
    poll(waiting.data(), waiting.size(), end.get() >= 0 && is_known ? -1 : kLook);
    const std::lock_guard lock(mutex_);
    drain(output_);
    drain(errors_);
    ended = (end.get() < 0 || waiting[0].revents != 0) && reap();
  }
  reap_worker();
  roundhouse::host::end_strays(mark_, 0);
  // Whoever still holds the other end is not waited for.
  shutdown(socket_.get(), SHUT_RDWR);
}

// Reads what is there without waiting; closes the pipe at its end. Under the lock.
void WorkerProcess::drain(Stream& stream) {
  std::array<char, 4096> buffer;
  while (stream.pipe.get() >= 0) {
    const ssize_t count = read(stream.pipe.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return;
    if (count == 0) stream.pipe.reset();
    const std::size_t kept = kKeptText - std::min(kKeptText, stream.printed.text.size());
    stream.printed.bytes += static_cast<std::uint64_t>(count);
    stream.printed.text.append(buffer.data(), std::min(kept, static_cast<std::size_t>(count)));
  }
}

Printed WorkerProcess::take(Stream& stream) {
  const std::lock_guard lock(mutex_);
  drain(stream);
  return std::exchange(stream.printed, Printed());
}

// Whether the child has ended; takes its status. Under the lock.
bool WorkerProcess::reap() {
  siginfo_t info{};
  // While it is not reaped, its number, which is its group's too, cannot belong to anybody else.
  const bool zombie = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0;
  if (zombie && info.si_pid == 0) return false;
  if (zombie) ::kill(-pid_, SIGKILL);
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_) status_ = status;
  drain(output_);
  drain(errors_);
  ended_ = true;
  changed_.notify_all();
  return true;
}

void WorkerProcess::send_kill() noexcept {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  // Its number, and its group's, belong to it as long as the supervisor has not reaped it, which this asks to
  // do just that.
  if (const pid_t worker = find_worker()) {
    ::kill(-worker, SIGKILL);
    ::kill(worker, SIGKILL);
  }
  ::kill(pid_, SIGTERM);
}

// Under the lock, while the supervisor lives.
pid_t WorkerProcess::find_worker() noexcept {
  try {
    const pid_t first = worker_of(pid_);
    if (worker_ == 0) worker_ = first;
    return first == worker_ ? worker_ : 0;
  } catch (...) {  // no memory to look
    return 0;
  }
}

// A worker whose supervisor was killed has died with it and is this process's child now.
void WorkerProcess::reap_worker() noexcept {
  const std::lock_guard lock(mutex_);
  for (int i = 0; worker_ != 0 && i < kReapTries; ++i) {
    siginfo_t info{};
    if (waitid(P_PID, static_cast<id_t>(worker_), &info, WEXITED | WNOHANG) != 0 || info.si_pid != 0) break;
    ::kill(worker_, SIGKILL);
    usleep(5000);
  }
}

std::vector<std::string> WorkerProcess::stacks(std::chrono::milliseconds limit) {
  const std::lock_guard lock(stacks_mutex_);
  return stacks_of(living(), stacks_.get(), limit);
}

// A process that was started over another one belongs to the supervisor only when that one has ended, which
// it may be about to. A helper that stays is a child of the worker, and waited for in vain, shortly.
void WorkerProcess::await_children(pid_t worker) noexcept {
  try {
    for (int i = 0; i < kChildrenTries && !std::ranges::all_of(children_of(worker), is_zombie); ++i)
      usleep(5000);
  } catch (...) {  // no memory to look
  }
}

std::vector<std::string> WorkerProcess::end_strays() noexcept {
  pid_t supervisor = 0, worker = 0;
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) supervisor = pid_;
    if (!ended_) worker = find_worker();
  }
  if (worker != 0) await_children(worker);
  std::vector<std::string> ended = roundhouse::host::end_strays(mark_, supervisor);
  try {
    const std::vector<pid_t> children = supervisor == 0 ? std::vector<pid_t>() : children_of(supervisor);
    for (const pid_t child : children) {
      if (child == worker) continue;
      ended.push_back(process_name(child));
      ::kill(child, SIGKILL);
    }
  } catch (...) {  // no memory to look: the supervisor ends them
  }
  return ended;
}

pid_t WorkerProcess::living() noexcept {
  const std::lock_guard lock(mutex_);
  return ended_ ? 0 : find_worker();
}

bool WorkerProcess::is_connected() const noexcept {
  pollfd end{socket_.get(), POLLRDHUP, 0};
  return poll(&end, 1, 0) == 0 || end.revents == 0;
}

void WorkerProcess::kill() {
  send_kill();
  if (wait(kSupervisor)) return;
  {
    const std::lock_guard lock(mutex_);
    if (!ended_) ::kill(pid_, SIGKILL);
  }
  // SIGKILL cannot be refused, but a process in an uninterruptible wait takes its time.
  wait(std::chrono::seconds(10));
}

bool WorkerProcess::wait(std::chrono::milliseconds timeout) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, timeout, [this] { return ended_; });
}

std::optional<int> WorkerProcess::exit_status() {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace roundhouse::host
