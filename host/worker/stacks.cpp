// SPDX-License-Identifier: Apache-2.0
#include "host/worker/stacks.h"

#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr int kMostFrames = 48;           // of a thread, as it writes them
constexpr std::size_t kShownFrames = 16;  // of a line
constexpr std::size_t kLongestFrame = 160;
constexpr std::size_t kMostThreads = 64;
constexpr std::size_t kMostBytes = 64 << 10;  // of a thread
constexpr milliseconds kAnswer{200};          // for a thread to write its stack
constexpr char kEnd[] = "\nend of the stack\n";
// Frames of the handler and of the signal itself.
constexpr std::size_t kOwnFrames = 2;

// One that libraries leave alone.
int stack_signal() {
  return SIGRTMIN + 9;
}

// On the thread that hangs, wherever it is: no memory is asked for, no lock is taken.
void write_stack(int) {
  const int saved = errno;
  std::array<void*, kMostFrames> frames;
  const int count = ::backtrace(frames.data(), kMostFrames);
  ::backtrace_symbols_fd(frames.data(), count, kStackDescriptor);
  [[maybe_unused]] const ssize_t written = ::write(kStackDescriptor, kEnd, sizeof kEnd - 1);
  errno = saved;
}

std::string text_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string line;
  std::getline(stream, line);
  return line;
}

// What has come until `kEnd`, or nothing within the time.
std::optional<std::string> read_stack(int pipe, Clock::time_point until) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.find(kEnd) == std::string::npos) {
    const auto left = std::chrono::ceil<milliseconds>(until - Clock::now());
    pollfd waiting{pipe, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&waiting, 1, static_cast<int>(left.count())) <= 0) return std::nullopt;
    const ssize_t count = ::read(pipe, buffer.data(), buffer.size());
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (count <= 0 || text.size() > kMostBytes) return std::nullopt;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text.substr(0, text.find(kEnd));
}

// "libx.so(work+0x1f)" of "/a/b/libx.so(work+0x1f) [0x7f..]": what differs from run to run is left out.
std::string short_frame(std::string frame) {
  frame = frame.substr(0, frame.find(" ["));
  const auto slash = frame.substr(0, frame.find('(')).rfind('/');
  if (slash != std::string::npos) frame = frame.substr(slash + 1);
  for (char& c : frame) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) >= 0x7f) c = '?';
  }
  return frame.substr(0, kLongestFrame);
}

std::string shown_stack(const std::string& text) {
  std::istringstream lines(text);
  std::string shown;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line) && number < kOwnFrames + kShownFrames;) {
    if (line.empty() || ++number <= kOwnFrames) continue;
    shown += (shown.empty() ? "" : ", ") + short_frame(line);
  }
  return shown.empty() ? "nowhere that it can tell" : shown;
}

// "in futex_wait": where the kernel has it; empty where it runs, or the kernel does not say.
std::string kernel_place(const fs::path& task) {
  const std::string place = text_of(task / "wchan");
  if (!place.empty() && place != "0") return " in " + place;
  return text_of(task / "syscall") == "running" ? " running" : "";
}

std::vector<pid_t> threads_of(pid_t process) {
  std::vector<pid_t> threads;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fmt::format("/proc/{}/task", process), error))
    threads.push_back(static_cast<pid_t>(std::stol(entry.path().filename().string())));
  std::ranges::sort(threads);  // the main thread first
  if (threads.size() > kMostThreads) threads.resize(kMostThreads);
  return threads;
}

}  // namespace

void answer_with_stacks() {
  if (::fcntl(kStackDescriptor, F_GETFD) < 0) return;
  ::fcntl(kStackDescriptor, F_SETFD, FD_CLOEXEC);
  ::fcntl(kStackDescriptor, F_SETFL, O_NONBLOCK);
  std::array<void*, 1> frame;
  ::backtrace(frame.data(), 1);  // loads what it needs, which is no work for a handler
  struct sigaction action {};
  action.sa_handler = write_stack;
  action.sa_flags = SA_RESTART | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  ::sigaction(stack_signal(), &action, nullptr);
}

std::vector<std::string> stacks_of(pid_t worker, int pipe, milliseconds limit) {
  std::map<std::string, std::vector<std::string>> names;  // of threads, by what they do
  if (worker <= 0 || pipe < 0) return {};
  const Clock::time_point end = Clock::now() + limit;
  for (const pid_t thread : threads_of(worker)) {
    if (Clock::now() >= end) break;
    const fs::path task = fmt::format("/proc/{}/task/{}", worker, thread);
    const std::string name = text_of(task / "comm"), place = kernel_place(task);
    if (::syscall(SYS_tgkill, worker, thread, stack_signal()) != 0) continue;
    const auto stack = read_stack(pipe, std::min(end, Clock::now() + kAnswer));
    names[place + (stack ? ": " + shown_stack(*stack) : " does not answer")].push_back(name);
  }
  std::vector<std::string> lines;
  for (const auto& [what, threads] : names) {
    const std::string who = threads.size() == 1 ? "thread" : fmt::format("{} threads", threads.size());
    lines.push_back(fmt::format("{} ({}){}", who, threads.front(), what));
  }
  return lines;
}

}  // namespace roundhouse::host
