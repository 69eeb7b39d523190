// SPDX-License-Identifier: Apache-2.0
#include "host/sources/credential_helper.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "host/sources/texts.h"
#include "host/store/file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaximumAnswerBytes = 64 << 10, kShownWords = 200;
constexpr const char* kUnknown =
    "credentials not found";                   // what helpers say of servers that they do not know
constexpr const char* kTokenUser = "<token>";  // the secret is an identity token then
constexpr auto kHelperGlance = std::chrono::milliseconds(5);

struct HelperRun {
  int status = 0;  // of waitpid
  bool in_time = true;
  std::string output;
};

bool is_helper_name(const std::string& name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

fs::path find_program(const std::string& program, const std::string& path) {
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t end = std::min(path.find(':', begin), path.size());
    const fs::path file = fs::path(path.substr(begin, end - begin)) / program;
    if (file.is_absolute() && ::access(file.c_str(), X_OK) == 0) return file;
    begin = end + 1;
  }
  return {};
}

struct Pipe {
  File read, write;
  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_system("pipe", errno);
    read = File(ends[0]);
    write = File(ends[1]);
  }
};

// A file without a name that holds the text, at its beginning.
File file_with(const std::string& text) {
  File file(::memfd_create("server", MFD_CLOEXEC));
  if (!file) throw_system("memory file", errno);
  write_all(file, text, "memory file");
  ::lseek(file.get(), 0, SEEK_SET);
  return file;
}

// The child, or -1. Its descriptors but the three usual ones are closed by what they are opened with.
pid_t start(const fs::path& program, const File& input, const Pipe& output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input.get(), 0);
  posix_spawn_file_actions_adddup2(&actions, output.write.get(), 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  std::string name = program.string(), verb = "get";
  std::array<char*, 3> arguments = {name.data(), verb.data(), nullptr};
  pid_t child = -1;
  const int error = ::posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  return error == 0 ? child : -1;
}

// What the child prints, up to its end or the deadline.
std::string read_output(const File& output, Clock::time_point deadline) {
  std::string text;
  while (text.size() <= kMaximumAnswerBytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd end{output.get(), POLLIN, 0};
    if (left <= 0 || ::poll(&end, 1, static_cast<int>(left)) == 0) break;
    std::array<char, 4096> piece{};
    const ssize_t count = ::read(output.get(), piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

std::optional<HelperRun> run(const fs::path& program, const std::string& input, Clock::time_point deadline) {
  Pipe out;
  const pid_t child = start(program, file_with(input), out);
  if (child < 0) return std::nullopt;
  out.write = File();
  HelperRun result;
  result.output = read_output(out.read, deadline);
  pid_t ended = 0;
  while ((ended = ::waitpid(child, &result.status, WNOHANG)) == 0 && Clock::now() < deadline)
    std::this_thread::sleep_for(kHelperGlance);
  if (ended == 0) {
    result.in_time = false;
    ::kill(child, SIGKILL);
    ::waitpid(child, &result.status, 0);
  }
  return result;
}

// What a helper that ended well has printed.
HelperAnswer parse_answer(const std::string& output) {
  const auto answer = nlohmann::json::parse(output, nullptr, false);
  const std::string user = answer.is_object() ? text_member(answer, "Username") : "";
  const std::string secret = answer.is_object() ? text_member(answer, "Secret") : "";
  if (user == kTokenUser) return {std::nullopt, "gives an identity token, which is not used"};
  if (user.empty() || secret.empty()) return {std::nullopt, "prints no JSON object with Username and Secret"};
  return {RegistryCredentials{user, secret}, ""};
}

}  // namespace

HelperAnswer ask_credential_helper(const std::string& name, const std::string& server,
                                   const std::string& path, std::chrono::milliseconds timeout) {
  if (!is_helper_name(name)) return {std::nullopt, "is not the name of a helper"};
  const std::string program = "docker-credential-" + name;
  const fs::path file = find_program(program, path);
  if (file.empty()) return {std::nullopt, "is missing: there is no '" + program + "' in PATH"};
  const auto result = run(file, server + "\n", Clock::now() + timeout);
  if (!result) return {std::nullopt, "cannot be started: '" + file.string() + "'"};
  if (!result->in_time)
    return {std::nullopt,
            fmt::format("did not answer within {:.3g} s", std::chrono::duration<double>(timeout).count())};
  if (WIFEXITED(result->status) && WEXITSTATUS(result->status) == 0) return parse_answer(result->output);
  if (result->output.find(kUnknown) != std::string::npos) return {};
  std::string words = printable(result->output, kShownWords);
  while (words.ends_with('?') || words.ends_with(' '))
    words.pop_back();
  return {std::nullopt, words.empty() ? "failed without a word" : "failed: " + words};
}

}  // namespace roundhouse::host
