// SPDX-License-Identifier: Apache-2.0
// Tests of workers with an engine that misbehaves: each time an error that names it, and the next call works.
#include "worker_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST_F(WorkerTest, TextInTheSocketIsABrokenEngine) {
  expect_failure("text into the socket", RH_ENGINE_BROKEN,
                 "engine 'puppet': its worker sent bytes that are not a message");
}

TEST_F(WorkerTest, AHugeFrameIsABrokenEngineAndAllocatesNothing) {
  expect_failure("huge frame into the socket", RH_ENGINE_BROKEN, "4294967280 bytes, expected at most");
}

TEST_F(WorkerTest, AnAnswerToNoQuestionIsABrokenEngine) {
  expect_failure("stale answer into the socket", RH_ENGINE_BROKEN, "answers no question");
}

TEST_F(WorkerTest, AnEndInTheMiddleOfAFrameIsACrash) {
  expect_failure("half a frame", RH_ENGINE_CRASHED,
                 "engine 'puppet' ended its process with status 0 in generate");
}

TEST_F(WorkerTest, AClosedSocketIsACrash) {
  expect_failure("close the socket", RH_ENGINE_CRASHED, "ended its process with status 0 in generate");
}

TEST_F(WorkerTest, AnExitNamesItsStatus) {
  expect_failure("exit", RH_ENGINE_CRASHED, "engine 'puppet' ended its process with status 3 in generate");
}

TEST_F(WorkerTest, AKillFromOutsideIsACrash) {
  expect_failure("kill yourself", RH_ENGINE_CRASHED, "signal 9 (SIGKILL) in generate");
}

TEST_F(WorkerTest, TheLastWordsOfACrashAreQuoted) {
  expect_failure("abort", RH_ENGINE_CRASHED,
                 "(SIGABRT) in generate; its last words: terminate called: the puppet");
}

TEST_F(WorkerTest, TheSameStepAgainIsNoProgress) {
  options_.timeouts.step = milliseconds(300);
  expect_failure("one step for ever", RH_TIMEOUT, "engine 'puppet' showed no progress for 0.3 s in generate");
}

TEST_F(WorkerTest, NeitherIsTheSameShareOfALoad) {
  options_.timeouts.load = milliseconds(300);
  const auto client = make(puppet_manifest());
  expect_error(RH_TIMEOUT, "showed no progress for 0.3 s in load", [&] {
    client->open({"/", "stuck load", 0, {}});
  });
}

TEST_F(WorkerTest, AStoppedProcessIsTakenForHung) {
  options_.timeouts.step = milliseconds(300);
  expect_failure("stop yourself", RH_TIMEOUT, "engine 'puppet' showed no progress for 0.3 s in generate");
}

TEST_F(WorkerTest, ALongStepThatAsksWhetherToStopIsNotHung) {
  options_.timeouts.step = milliseconds(1000);
  EXPECT_EQ(generate(*puppet(), job_of("one long step"), {}).image.rgb.size(), 3U * 32 * 16);
}

TEST_F(WorkerTest, AProcessLeftBehindHoldsNobodyUp) {
  expect_failure("leave a child behind and exit", RH_ENGINE_CRASHED, "status 3 in generate");
  EXPECT_EQ(generate(*puppet(), job_of("leave a child behind"), {}).image.rgb.size(), 3U * 32 * 16);
}

TEST_F(WorkerTest, ACancelThatNobodyAskedForIsABrokenEngine) {
  expect_failure("cancelled by nobody", RH_ENGINE_BROKEN, "although nobody had cancelled");
}

TEST_F(WorkerTest, AFloodOfOutputIsCaughtCountedAndCut) {
  testing::internal::CaptureStdout();
  const auto client = puppet();
  generate(*client, job_of("flood"), {});
  EXPECT_THAT(client->open({}).engine.remarks,
              Contains(HasSubstr("printed 4000000 bytes to standard output (rule P28)")));
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  EXPECT_THAT(log_.text(), HasSubstr("3 engine engine 'puppet' printed 4000000 bytes"));
  EXPECT_LT(log_.text().size(), 20000U);
}

TEST_F(WorkerTest, ADeadClientSaysSo) {
  const auto client = puppet();
  EXPECT_THROW(generate(*client, job_of("exit"), {}), Error);
  expect_error(RH_ENGINE_CRASHED, "its worker has ended", [&] { generate(*client, job_of("an image"), {}); });
}

}  // namespace
}  // namespace roundhouse::host
