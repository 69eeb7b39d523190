// SPDX-License-Identifier: Apache-2.0
// `bench serve` with few cycles: what it finds about the daemon is as it should be.
#include <csignal>
#include <thread>

#include "tests/cli/program.h"

namespace roundhouse::test {
namespace {

using testing::HasSubstr;

class BenchServe : public Program {};

TEST_F(BenchServe, finds_a_daemon_that_is_whole) {
  constexpr int kCycles = 24, kClients = 90;
  const nlohmann::json report =
      run_json({"bench", "serve", "--starts", "1", "--runs", "2", "--cycles", std::to_string(kCycles),
                "--clients", std::to_string(kClients), "--seconds", "1"});
  EXPECT_GT(report.at("first_answer").at("median_ms"), 0);
  EXPECT_GT(report.at("first_image").at("median_ms"), report.at("first_answer").at("median_ms"));
  const nlohmann::json& overhead = report.at("overhead");
  EXPECT_EQ(overhead.at("model"), "pocket-turbo");
  EXPECT_GE(overhead.at("request").at("min_ms"), overhead.at("engine_time").at("min_ms"));
  EXPECT_GT(overhead.at("direct").at("median_ms"), 0);

  const nlohmann::json& cancel = report.at("cancel");
  EXPECT_EQ(cancel.at("cycles"), kCycles);
  EXPECT_GT(cancel.at("at_work"), kCycles / 2);
  const nlohmann::json &before = cancel.at("before"), &after = cancel.at("after");
  EXPECT_EQ(before.at("processes"), 3) << "the daemon, a worker and its supervisor";
  EXPECT_EQ(after.at("processes"), 3);
  EXPECT_LT(after.at("descriptors"), before.at("descriptors").get<int>() + kCycles / 2);  // not one a cycle
  constexpr std::int64_t kImageBytes = 1024 * 1024 * 3;  // no cycle may keep one; four stand for noise
  EXPECT_LT(after.at("daemon_bytes").get<std::int64_t>(),
            before.at("daemon_bytes").get<std::int64_t>() + 4 * kImageBytes);

  const nlohmann::json& crowd = report.at("crowd");
  EXPECT_EQ(crowd.at("wrong"), 0) << crowd.at("problems");
  EXPECT_EQ(crowd.at("right").get<int>() + crowd.at("refused").get<int>(), kClients);
  EXPECT_GT(crowd.at("right"), 0);
  EXPECT_GT(report.at("health_per_second").at("connections_1"), 0);
  EXPECT_TRUE(all_ended_within(std::chrono::milliseconds(5000)));
}

TEST_F(BenchServe, refuses_numbers_out_of_range) {
  for (const char* flag : {"--starts", "--runs", "--cycles", "--clients", "--seconds"}) {
    const Outcome outcome = run({"bench", "serve", flag, "0"});
    EXPECT_EQ(outcome.status, 2);
    EXPECT_THAT(outcome.err, HasSubstr(std::string("INVALID_ARGUMENT: ") + flag));
  }
}

TEST_F(BenchServe, leaves_no_daemon_when_it_is_interrupted) {
  Running running = start({"bench", "serve", "--starts", "1000"});
  for (int i = 0; i < 1000 && processes().size() < 3; ++i)  // it, a daemon and a worker
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  running.send(SIGINT);
  EXPECT_TRUE(running.ended_within(std::chrono::milliseconds(30'000)));
  EXPECT_EQ(running.wait().status, 130);
  EXPECT_TRUE(all_ended_within(std::chrono::milliseconds(5000)));
}

}  // namespace
}  // namespace roundhouse::test
