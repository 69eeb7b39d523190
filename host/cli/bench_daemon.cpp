// SPDX-License-Identifier: Apache-2.0
// Started, looked at and ended.
#include "host/cli/bench_daemon.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>

#include "host/cli/serve_settings.h"
#include "host/log/reason.h"
#include "host/residency/process_size.h"
#include "host/worker/file_descriptor.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLog = "daemon.log";

fs::path make_home() {
  std::error_code error;
  std::string pattern = (fs::temp_directory_path(error) / "roundhouse-bench-XXXXXX").string();
  if (error || mkdtemp(pattern.data()) == nullptr)
    throw Error(RH_IO_ERROR, "temporary directory '" + pattern + "': " + reason(errno));
  return pattern;
}

// Without settings of the daemon: what is measured are the defaults.
std::vector<std::string> plain_environment() {
  std::set<std::string> left_out = {"ROUNDHOUSE_API_KEY"};
  for (const Setting& setting : serve_settings())
    left_out.insert(setting_variable(setting));
  std::vector<std::string> kept;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    if (!left_out.contains(text.substr(0, text.find('=')))) kept.push_back(text);
  }
  return kept;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts)
    all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

std::uint64_t entries(const fs::path& directory) {
  std::error_code error;
  fs::directory_iterator all(directory, error);
  return error ? 0 : static_cast<std::uint64_t>(std::distance(all, fs::directory_iterator()));
}

// The fourth word of /proc/PID/stat, after a name that may hold anything.
pid_t parent_of(const fs::path& process) {
  std::ifstream stream(process / "stat");
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  const std::size_t name = text.rfind(')');
  return name == std::string::npos || text.size() < name + 4 ? 0 : std::atoi(text.c_str() + name + 4);
}

// The supervisors of workers, the workers, and what these have started.
std::vector<pid_t> descendants_of(pid_t parent) {
  std::vector<pid_t> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") == std::string::npos && parent_of(entry.path()) == parent)
      all.push_back(std::stoi(name));
  }
  const std::vector<pid_t> children = all;
  for (const pid_t child : children) {
    const std::vector<pid_t> theirs = descendants_of(child);
    all.insert(all.end(), theirs.begin(), theirs.end());
  }
  return all;
}

}  // namespace

BenchDaemon::BenchDaemon(const Program& program, const std::vector<std::string>& arguments)
    : home_(make_home()) {
  try {
    start(program, arguments);
  } catch (...) {
    stop();
    throw;
  }
}

BenchDaemon::~BenchDaemon() {
  stop();
}

void BenchDaemon::start(const Program& program, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {program.executable, "--home", home_, "serve", "--port", "0", "--json"};
  for (const std::string& path : program.options.engine_paths)
    words.insert(words.end(), {"--engine-path", path});
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> environment = plain_environment();
  const std::vector<char*> argv = pointers(words), envp = pointers(environment);
  int ends[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0) throw Error(RH_INTERNAL, "a pipe cannot be made: " + reason(errno));
  const FileDescriptor output(ends[0]);
  FileDescriptor input(ends[1]);
  const FileDescriptor log(open((home_ / kLog).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (log.get() < 0) throw Error(RH_IO_ERROR, "file '" + (home_ / kLog).string() + "': " + reason(errno));
  pid_ = fork();
  if (pid_ < 0) throw Error(RH_INTERNAL, "a daemon cannot be started: " + reason(errno));
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(input.get(), STDOUT_FILENO);
    dup2(log.get(), STDERR_FILENO);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  input.reset();
  const OrderedJson said = OrderedJson::parse(first_line(output.get()), nullptr, false);
  if (!said.is_object() || !said.contains("url")) {
    std::ifstream stream(home_ / kLog);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    throw Error(RH_INTERNAL, "the daemon to measure did not start: " + text.substr(0, 500));
  }
  url_ = said.at("url").get<std::string>();
}

std::string BenchDaemon::first_line(int pipe) const {
  std::string line;
  char c = 0;
  for (;;) {
    const ssize_t count = read(pipe, &c, 1);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0 || c == '\n') return line;
    line.push_back(c);
  }
}

void BenchDaemon::stop() noexcept {
  constexpr int kTries = 3000;
  constexpr int kPause = 10;  // milliseconds
  if (pid_ > 0) {
    kill(pid_, SIGTERM);
    for (int i = 0; i < kTries && waitpid(pid_, nullptr, WNOHANG) == 0; ++i) {
      if (i + 1 == kTries) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
        break;
      }
      poll(nullptr, 0, kPause);
    }
  }
  std::error_code ignored;
  fs::remove_all(home_, ignored);
}

DaemonClient BenchDaemon::client() const {
  DaemonFlags flags;
  flags.server = url_;
  return DaemonClient(flags, DaemonClient::kPatient);
}

DaemonFigures BenchDaemon::figures() const {
  DaemonFigures figures;
  figures.daemon_bytes = process_size(pid_).resident;
  figures.descriptors = entries(fmt::format("/proc/{}/fd", pid_));
  figures.processes = 1;
  for (const pid_t child : descendants_of(pid_)) {
    figures.worker_bytes += process_size(child).resident;
    ++figures.processes;
  }
  return figures;
}

}  // namespace roundhouse::host
