// SPDX-License-Identifier: Apache-2.0
// What remains when hosts, workers and supervisors are killed, and where a worker hangs.
#include <spawn.h>
#include <sys/wait.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

#include "worker_fixture.h"

extern char** environ;

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;

// Starts this program as a host whose worker obeys the prompt, and kills it in the middle.
void expect_no_orphan(const std::string& prompt) {
  std::string role = "--host";
  std::string argument = prompt;
  std::string name = "host";
  char* arguments[] = {name.data(), role.data(), argument.data(), nullptr};
  pid_t host = 0;
  ASSERT_EQ(posix_spawn(&host, "/proc/self/exe", nullptr, nullptr, arguments, environ), 0);
  ASSERT_TRUE(eventually([&] { return !workers_of(host).empty(); }));
  std::this_thread::sleep_for(milliseconds(100));
  kill(host, SIGKILL);
  EXPECT_TRUE(eventually([&] { return workers_of(host).empty(); })) << prompt;
  waitpid(host, nullptr, 0);
  // Its supervisor is this process's child now.
  EXPECT_TRUE(eventually([] { return waitpid(-1, nullptr, WNOHANG) == -1; }));
}

TEST_F(WorkerTest, AKilledHostLeavesNoWorkerBehind) {
  expect_no_orphan("slow");
  expect_no_orphan("deaf");
  expect_no_orphan("hang");
}

// The number in the file, once it is there.
pid_t stray_in(const std::filesystem::path& file) {
  pid_t stray = 0;
  EXPECT_TRUE(eventually([&] { return static_cast<bool>(std::ifstream(file) >> stray); }));
  return stray;
}

bool is_gone(pid_t process) {
  return eventually([&] { return kill(process, 0) != 0; });
}

TEST_F(WorkerTest, WhatAWorkerHasStartedEndsWithItWhoeverIsKilled) {
  const auto file = std::filesystem::temp_directory_path() / ("rh-stray-" + std::to_string(getpid()));
  setenv("RH_PUPPET_STRAY", file.c_str(), 1);
  const std::string prompt = "leave a stray behind and hang";
  expect_no_orphan(prompt);
  EXPECT_TRUE(is_gone(stray_in(file))) << "the host was killed";
  std::filesystem::remove(file);

  const auto client = puppet();
  std::thread killer([&] {
    const pid_t stray = stray_in(file);
    kill(workers_of(getpid()).at(0), SIGKILL);
    EXPECT_TRUE(is_gone(stray)) << "the worker was killed";
  });
  expect_error(RH_ENGINE_CRASHED, "SIGKILL", [&] { generate(*client, job_of(prompt), {}); });
  killer.join();
  std::filesystem::remove(file);

  options_.timeouts.step = milliseconds(500);
  expect_error(RH_TIMEOUT, "in generate", [&] { generate(*puppet(), job_of(prompt), {}); });
  EXPECT_TRUE(is_gone(stray_in(file))) << "the worker hung";
  std::filesystem::remove(file);
  unsetenv("RH_PUPPET_STRAY");
}

TEST_F(WorkerTest, AKilledSupervisorTakesItsWorkerAlong) {
  const auto client = puppet();
  const pid_t worker = workers_of(getpid()).at(0);
  expect_error(RH_ENGINE_CRASHED, "SIGKILL", [&] {
    generate(*client, slow_job(), [&](const ProgressEvent& event) {
      if (event.step == 2) kill(parent_of(worker), SIGKILL);
    });
  });
  EXPECT_TRUE(is_gone(worker));
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";
  expect_works();
}

TEST_F(WorkerTest, APluginThatKillsItsGroupKillsItselfAlone) {
  expect_error(RH_ENGINE_CRASHED, "SIGKILL", [this] { generate(*puppet(), job_of("kill your group"), {}); });
  expect_works();
}

TEST_F(WorkerTest, WhereAWorkerHangsIsInTheLog) {
  options_.timeouts.step = milliseconds(500);
  expect_error(RH_TIMEOUT, "showed no progress for 0.5 s in generate",
               [this] { generate(*puppet(), job_of("hang"), {}); });
  EXPECT_THAT(log_.text(), HasSubstr("engine 'puppet' hangs in generate: "));
  EXPECT_THAT(log_.text(), HasSubstr("libworker_puppet.so("));
  const auto begin = std::chrono::steady_clock::now();
  expect_error(RH_TIMEOUT, "in generate", [this] { generate(*puppet(), job_of("stop yourself"), {}); });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
  EXPECT_THAT(log_.text(), HasSubstr("does not answer"));
}

}  // namespace
}  // namespace roundhouse::host
