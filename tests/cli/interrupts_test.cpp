// SPDX-License-Identifier: Apache-2.0
// Ctrl-C and worse, at any moment: the exit status, and that no process and no half file is left.
#include <csignal>
#include <thread>

#include "tests/cli/program.h"
#include "tests/host/images/png_reader.h"

namespace roundhouse::test {
namespace {

using std::chrono::milliseconds;

class Interrupted : public Program, public testing::WithParamInterface<int> {
 protected:
  // Takes minutes when nobody stops it.
  Running start_long_run(const std::string& engine = "reference") const {
    return start({"generate", "a red circle", "--engine", engine, "--steps", "50", "--width", "512",
                  "--height", "512"});
  }
  bool wait_for_progress(const Running& run) const {
    for (int i = 0; i < 1000; ++i) {
      if (content(root_ / "io" / "0.err").find("encode") != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(10));
    }
    return run.pid() == 0;
  }
  // Until the program has said what a SIGTERM shall do; before that, it ends as every program does.
  static bool wait_until_it_catches_SIGTERM(const Running& run) {
    constexpr unsigned long long kBit = 1ULL << (SIGTERM - 1);
    for (int i = 0; i < 10'000; ++i) {
      const std::string status = content("/proc/" + std::to_string(run.pid()) + "/status");
      const std::size_t at = status.find("SigCgt:");
      if (at != std::string::npos && (std::stoull(status.substr(at + 7), nullptr, 16) & kBit) != 0)
        return true;
      std::this_thread::sleep_for(milliseconds(1));
    }
    return false;
  }
  void expect_nothing_left() const {
    EXPECT_TRUE(all_ended_within(milliseconds(5000)));
    EXPECT_THAT(listing(output()), testing::IsEmpty());
  }
};

class InterruptedAfter : public Interrupted {};

TEST_P(InterruptedAfter, milliseconds_it_ends_with_130_and_leaves_nothing) {
  Running run = start_long_run();
  std::this_thread::sleep_for(milliseconds(GetParam()));
  run.send(SIGINT);
  EXPECT_TRUE(run.ended_within(milliseconds(10'000)));
  EXPECT_EQ(run.wait().status, 130);
  expect_nothing_left();
}
INSTANTIATE_TEST_SUITE_P(moments, InterruptedAfter, testing::Values(0, 3, 10, 25, 60, 130, 300, 700, 1500),
                         testing::PrintToStringParamName());

TEST_F(Interrupted, by_SIGTERM_it_ends_the_same_way) {
  Running run = start_long_run();
  ASSERT_TRUE(wait_for_progress(run));
  run.send(SIGTERM);
  EXPECT_TRUE(run.ended_within(milliseconds(10'000)));
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.status, 143);
  EXPECT_THAT(outcome.err, testing::HasSubstr("error: CANCELLED: "));
  expect_nothing_left();
}

TEST_F(Interrupted, twice_it_ends_at_once) {
  Running run = start_long_run();
  ASSERT_TRUE(wait_for_progress(run));
  run.send(SIGINT);
  std::this_thread::sleep_for(milliseconds(250));
  run.send(SIGINT);
  EXPECT_TRUE(run.ended_within(milliseconds(2000)));
  EXPECT_EQ(run.wait().status, 130);
  expect_nothing_left();
}

class InterruptedTwice : public Interrupted {};

TEST_P(InterruptedTwice, that_many_milliseconds_apart_it_prints_one_object) {
  for (const int before : {0, 60, 400, 900}) {
    Running run = start({"generate", "a red circle", "--engine", "reference", "--steps", "50", "--width",
                         "512", "--height", "512", "--json"});
    ASSERT_TRUE(wait_until_it_catches_SIGTERM(run));
    std::this_thread::sleep_for(milliseconds(before));
    run.send(SIGTERM);
    std::this_thread::sleep_for(milliseconds(GetParam()));
    run.send(SIGINT);
    EXPECT_TRUE(run.ended_within(milliseconds(10'000)));
    const Outcome outcome = run.wait();
    // The first signal decides; of two that arrive at once the kernel delivers either first.
    if (GetParam() > 0 || outcome.status != 130) EXPECT_EQ(outcome.status, 143) << outcome.err;
    ASSERT_NO_THROW(outcome.json()) << before << ": '" << outcome.out << "'";
    EXPECT_EQ(outcome.json().at("error").at("code"), "CANCELLED");
    EXPECT_EQ(outcome.json().at("error").at("exit_status"), outcome.status);
    expect_nothing_left();
  }
}
INSTANTIATE_TEST_SUITE_P(moments, InterruptedTwice, testing::Values(0, 1, 5, 20, 60, 250),
                         testing::PrintToStringParamName());

TEST_F(Interrupted, on_the_fast_engine_it_ends_too) {
  Running run = start_long_run("openblas");
  ASSERT_TRUE(wait_for_progress(run));
  run.send(SIGINT);
  EXPECT_TRUE(run.ended_within(milliseconds(5000)));
  EXPECT_EQ(run.wait().status, 130);
  expect_nothing_left();
}

TEST_F(Interrupted, by_SIGKILL_its_worker_ends_with_it) {
  Running run = start_long_run();
  ASSERT_TRUE(wait_for_progress(run));
  EXPECT_GE(processes().size(), 2U);
  run.send(SIGKILL);
  EXPECT_EQ(run.wait().status, 128 + SIGKILL);
  expect_nothing_left();
}

TEST_F(Interrupted, between_images_it_keeps_those_that_were_finished) {
  Running run =
      start({"generate", "x", "--engine", "openblas", "--num-images", "16", "--steps", "8", "--json"});
  for (int i = 0; i < 2000 && listing(output()).empty(); ++i)
    std::this_thread::sleep_for(milliseconds(10));
  run.send(SIGINT);
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.status, 130);
  const nlohmann::json result = outcome.json();
  EXPECT_EQ(result.at("error").at("code"), "CANCELLED");
  EXPECT_EQ(result.at("files").size(), listing(output()).size());
  for (const std::string& file : listing(output()))
    EXPECT_NO_THROW(read_png(output() / file));
  EXPECT_TRUE(all_ended_within(milliseconds(5000)));
}

TEST_F(Interrupted, with_its_worker_killed_it_reports_a_crash) {
  Running run = start_long_run();
  ASSERT_TRUE(wait_for_progress(run));
  for (const pid_t pid : processes()) {
    if (pid != run.pid()) kill(pid, SIGKILL);
  }
  EXPECT_TRUE(run.ended_within(milliseconds(10'000)));
  const Outcome outcome = run.wait();
  EXPECT_EQ(outcome.status, 6);
  EXPECT_THAT(outcome.err, testing::HasSubstr("error: ENGINE_CRASHED: "));
  expect_nothing_left();
}

}  // namespace
}  // namespace roundhouse::test
