// SPDX-License-Identifier: Apache-2.0
// Tests of how the end of a worker is worded.
#include "host/worker/worker_end.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace roundhouse::host {
namespace {

constexpr int exited(int status) {
  return status << 8;
}

void expect_error(const WorkerEnd& end, rh_status code, const std::string& message) {
  const Error error = error_of(end);
  EXPECT_EQ(error.code(), code);
  EXPECT_EQ(error.what(), message);
}

TEST(WorkerEnd, NamesEngineSignalAndPhase) {
  expect_error({"x", "generate", SIGSEGV}, RH_ENGINE_CRASHED,
               "engine 'x' died of signal 11 (SIGSEGV) in generate");
  expect_error({"x", "load", SIGKILL}, RH_ENGINE_CRASHED,
               "engine 'x' died of signal 9 (SIGKILL) in load, killed from outside");
}

TEST(WorkerEnd, CallsAKillForMemoryByItsName) {
  expect_error({"x", "load", SIGKILL, true}, RH_OUT_OF_MEMORY,
               "engine 'x' was killed by the kernel in load because memory had run out");
  EXPECT_EQ(error_of({"x", "load", SIGSEGV, true}).code(), RH_ENGINE_CRASHED);
}

TEST(WorkerEnd, NamesTheStatusOfAnExit) {
  expect_error({"x", "generate", exited(3)}, RH_ENGINE_CRASHED,
               "engine 'x' ended its process with status 3 in generate");
  expect_error({"x", "generate", std::nullopt}, RH_ENGINE_CRASHED,
               "engine 'x' ended its process in generate");
}

TEST(WorkerEnd, QuotesTheLastWords) {
  expect_error({"x", "probe", SIGABRT, false, "free(): invalid pointer"}, RH_ENGINE_CRASHED,
               "engine 'x' died of signal 6 (SIGABRT) in probe; its last words: free(): invalid pointer");
}

TEST(LastLine, IsTheLastOneWithAnythingOnIt) {
  EXPECT_EQ(last_line(""), "");
  EXPECT_EQ(last_line(" \n\n"), "");
  EXPECT_EQ(last_line("one\ntwo\x1b[2J \n \n"), "two [2J");
  EXPECT_EQ(last_line(std::string(1000, 'x')).size(), 200U);
}

}  // namespace
}  // namespace roundhouse::host
