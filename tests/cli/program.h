// SPDX-License-Identifier: Apache-2.0
// Runs the program in a home of its own and shows what came of it.
#pragma once

#include <gmock/gmock.h>
#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace roundhouse::test {

namespace fs = std::filesystem;
using Arguments = std::vector<std::string>;

struct Outcome {
  int status = 0;  // as a shell says it: the exit status, or 128 + the signal
  std::string out, err;

  // Standard output as one JSON object; throws what the parser throws.
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

// The program at work. Killed and waited for at the end of its life if it still runs.
class Running {
 public:
  Running(pid_t pid, fs::path out, fs::path err);
  ~Running();
  Running(Running&& other) noexcept;
  Running& operator=(Running&&) = delete;

  pid_t pid() const { return pid_; }
  void send(int signal) const;
  bool ended_within(std::chrono::milliseconds time);
  Outcome wait();

 private:
  pid_t pid_;
  bool ended_ = false;
  int raw_status_ = 0;
  fs::path out_, err_;
};

// A temporary directory with a home, a working directory and an environment that knows nothing of the real
// user. Everything started in it carries a mark by which it can be found again.
class Program : public testing::Test {
 protected:
  Program();
  ~Program() override;

  Outcome run(const Arguments& arguments, const std::string& input = "") const;
  Running start(const Arguments& arguments, const std::string& input = "") const;
  // A shell's script in the working directory, in which $program is the program.
  Outcome shell(const std::string& script) const;
  // `run` with "--json" added and the object that was printed.
  nlohmann::json run_json(Arguments arguments) const;

  // A manifest of an engine whose library leaves a trace; its directory.
  fs::path add_tracer(const std::string& id, int score) const;
  bool traced() const { return fs::exists(root_ / "trace"); }

  fs::path work() const { return root_ / "work"; }
  fs::path output() const { return work() / "output"; }
  // Names in a directory, sorted; none when it does not exist.
  static std::vector<std::string> listing(const fs::path& directory);
  static std::string content(const fs::path& file);
  // Processes of this test that are still there.
  std::vector<pid_t> processes() const;
  bool all_ended_within(std::chrono::milliseconds time) const;

  Running launch(const Arguments& command, const std::string& input) const;
  std::vector<std::string> environment() const;
  static std::string program();

  fs::path root_;
  mutable int runs_ = 0;
};

}  // namespace roundhouse::test
