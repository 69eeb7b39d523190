// SPDX-License-Identifier: Apache-2.0
// Runs the program in a home of its own.
#include "tests/cli/program.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace roundhouse::test {
namespace {

constexpr const char* kMark = "ROUNDHOUSE_TEST_MARK=";

std::vector<char*> pointers(const std::vector<std::string>& strings) {
  std::vector<char*> all;
  for (const std::string& string : strings)
    all.push_back(const_cast<char*>(string.c_str()));
  all.push_back(nullptr);
  return all;
}

void redirect(int descriptor, const fs::path& file, int flags) {
  const int opened = open(file.c_str(), flags | O_CLOEXEC, 0600);
  if (opened < 0 || dup2(opened, descriptor) < 0) _exit(126);
}

}  // namespace

Running::Running(pid_t pid, fs::path out, fs::path err)
    : pid_(pid), out_(std::move(out)), err_(std::move(err)) {
}

Running::Running(Running&& other) noexcept
    : pid_(other.pid_),
      ended_(other.ended_),
      raw_status_(other.raw_status_),
      out_(std::move(other.out_)),
      err_(std::move(other.err_)) {
  other.ended_ = true;
}

Running::~Running() {
  if (ended_) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

void Running::send(int signal) const {
  if (!ended_) kill(pid_, signal);
}

bool Running::ended_within(std::chrono::milliseconds time) {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!ended_) {
    ended_ = waitpid(pid_, &raw_status_, WNOHANG) == pid_;
    if (ended_ || std::chrono::steady_clock::now() > end) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return ended_;
}

Outcome Running::wait() {
  if (!ended_) waitpid(pid_, &raw_status_, 0);
  ended_ = true;
  Outcome outcome;
  outcome.status = WIFEXITED(raw_status_) ? WEXITSTATUS(raw_status_) : 128 + WTERMSIG(raw_status_);
  for (const auto& [file, text] : {std::pair{&out_, &outcome.out}, {&err_, &outcome.err}}) {
    std::ifstream stream(*file, std::ios::binary);
    text->assign(std::istreambuf_iterator<char>(stream), {});
  }
  return outcome;
}

Program::Program() {
  std::string name = (fs::temp_directory_path() / "roundhouse-cli-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
  root_ = name;
  for (const char* directory : {"home", "work", "io"})
    fs::create_directory(root_ / directory);
  // Engines are measured once for all tests of a build.
  const fs::path rates = fs::path(ROUNDHOUSE_BINARY_DIR) / "rates";
  fs::create_directories(rates);
  fs::create_directories(root_ / "home/.cache/roundhouse");
  fs::create_directory_symlink(rates, root_ / "home/.cache/roundhouse/rates");
}

Program::~Program() {
  fs::remove_all(root_);
}

std::string Program::program() {
  return ROUNDHOUSE_PROGRAM;
}

std::vector<std::string> Program::environment() const {
  return {"PATH=/usr/bin:/bin",
          "LANG=C.UTF-8",
          "TERM=xterm",
          "HOME=" + (root_ / "home").string(),
          "ROUNDHOUSE_TEST_TRACE=" + (root_ / "trace").string(),
          "program=" + program(),
          kMark + root_.string()};
}

Running Program::launch(const Arguments& command, const std::string& input) const {
  const std::string number = std::to_string(runs_++);
  const fs::path out = root_ / "io" / (number + ".out");
  const fs::path err = root_ / "io" / (number + ".err");
  const fs::path in = root_ / "io" / (number + ".in");
  std::ofstream(in, std::ios::binary) << input;
  const std::vector<std::string> variables = environment();
  const std::vector<char*> argv = pointers(command);
  const std::vector<char*> envp = pointers(variables);
  const pid_t pid = fork();
  if (pid == 0) {
    if (chdir(work().c_str()) != 0) _exit(126);
    redirect(STDIN_FILENO, in, O_RDONLY);
    redirect(STDOUT_FILENO, out, O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDERR_FILENO, err, O_WRONLY | O_CREAT | O_TRUNC);
    execve(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  return {pid, out, err};
}

Running Program::start(const Arguments& arguments, const std::string& input) const {
  Arguments command = {program()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return launch(command, input);
}

Outcome Program::shell(const std::string& script) const {
  return launch({"/bin/sh", "-c", script}, "").wait();
}

Outcome Program::run(const Arguments& arguments, const std::string& input) const {
  return start(arguments, input).wait();
}

nlohmann::json Program::run_json(Arguments arguments) const {
  arguments.emplace_back("--json");
  const Outcome outcome = run(arguments);
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  return outcome.json();
}

fs::path Program::add_tracer(const std::string& id, int score) const {
  const fs::path directory = root_ / "engines";
  fs::create_directories(directory);
  fs::copy_file(ROUNDHOUSE_TRACER, directory / (id + ".so"), fs::copy_options::overwrite_existing);
  nlohmann::json manifest = {{"schema", 1},          {"id", id},
                             {"name", id},           {"version", "1.0.0"},
                             {"vendor", "test"},     {"description", "Leaves a trace when it is loaded."},
                             {"abi", "1.1"},         {"library", id + ".so"},
                             {"maturity", "stable"}, {"score", score}};
  manifest["capabilities"] = {{"task", {"text-to-image"}},
                              {"architecture", {"ZImagePipeline"}},
                              {"weight-format", {"safetensors"}},
                              {"dtype", {"f32", "bf16", "f16"}},
                              {"device", {"cpu"}}};
  std::ofstream(directory / (id + ".json")) << manifest;
  return directory;
}

std::vector<std::string> Program::listing(const fs::path& directory) {
  std::vector<std::string> names;
  if (!fs::exists(directory)) return names;
  for (const auto& entry : fs::directory_iterator(directory))
    names.push_back(entry.path().filename());
  std::sort(names.begin(), names.end());
  return names;
}

std::string Program::content(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<pid_t> Program::processes() const {
  const std::string mark = kMark + root_.string();
  std::vector<pid_t> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    if (content(entry.path() / "environ").find(mark) != std::string::npos) found.push_back(pid);
  }
  return found;
}

bool Program::all_ended_within(std::chrono::milliseconds time) const {
  const auto end = std::chrono::steady_clock::now() + time;
  while (!processes().empty()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

}  // namespace roundhouse::test
