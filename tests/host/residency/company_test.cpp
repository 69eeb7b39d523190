// SPDX-License-Identifier: Apache-2.0
// Requests that share a worker: its end and its failures first, then who may join, cancelling, memory.
#include "chorus_manifest.h"
#include "pool_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint32_t kCalls = 4;

class CompanyTest : public PoolTest {
 protected:
  CompanyTest() { manifests_ = {chorus_manifest()}; }

  // Of a model that takes four calls at once.
  PoolRequest chorus(const std::string& prompt, std::uint32_t steps = 2) {
    PoolRequest request = PoolTest::request(prompt, "", steps);
    request.plan.engine = "chorus";
    request.plan.route.engine = "chorus";
    return request;
  }
  std::vector<std::unique_ptr<Guest>> guests(const std::string& prompt, std::size_t count,
                                             std::uint32_t steps = 2) {
    std::vector<std::unique_ptr<Guest>> all;
    for (std::size_t i = 0; i < count; ++i)
      all.push_back(std::make_unique<Guest>(runner(), chorus(prompt, steps)));
    return all;
  }
  std::int64_t worker() { return pool().residents().at(0).process; }
};

TEST_F(CompanyTest, ACrashFailsAllRequestsOfThatWorkerAndTheNextGetAFreshOne) {
  run(chorus("an image"));
  const auto all = guests("slow", kCalls, 1000);
  for (const auto& guest : all)
    ASSERT_TRUE(guest->is_working());
  Guest waits(runner(), chorus("an image"));
  ASSERT_TRUE(waits.is_queued());
  ::kill(static_cast<pid_t>(worker()), SIGKILL);
  for (const auto& guest : all)
    expect_error(RH_ENGINE_CRASHED, "signal 9 (SIGKILL) in generate", [&] { guest->result(); });
  EXPECT_FALSE(waits.result().was_loaded) << "a fresh worker";
  EXPECT_EQ(pool().statistics().crashes, 1U);
  EXPECT_EQ(pool().statistics().failed, kCalls);
  EXPECT_THAT(workers_of(getpid()), SizeIs(1));
}

TEST_F(CompanyTest, ADeathWhileIdleIsNoticedByNobodyHoweverManyComeAtOnce) {
  for (int round = 0; round < 10; ++round) {
    run(chorus("an image"));
    ::kill(static_cast<pid_t>(worker()), SIGKILL);
    for (const auto& guest : guests("an image", 6))
      EXPECT_NO_THROW(guest->result());
  }
  EXPECT_EQ(pool().statistics().failed, 0U);
}

TEST_F(CompanyTest, AFailureOfOneRequestIsNotTheOthers) {
  run(chorus("an image"));
  Guest works(runner(), chorus("slow", 30));
  ASSERT_TRUE(works.is_working());
  expect_error(RH_PIPELINE_ERROR, "as asked", [&] { run(chorus("fail")); });
  EXPECT_NO_THROW(works.result());
  EXPECT_EQ(pool().statistics().loads, 1U);
}

TEST_F(CompanyTest, AsManyRequestsAsTheModelTakesShareItsWorker) {
  for (int round = 0; round < 3; ++round) {
    for (const auto& guest : guests("together", kCalls))
      EXPECT_NO_THROW(guest->result());
  }
  EXPECT_EQ(pool().statistics().loads, 1U);
  EXPECT_EQ(pool().statistics().calls, 3 * kCalls);
}

TEST_F(CompanyTest, OneMoreThanTheModelTakesWaits) {
  run(chorus("an image"));
  const auto all = guests("slow", kCalls, 1000);
  for (const auto& guest : all)
    ASSERT_TRUE(guest->is_working());
  EXPECT_EQ(pool().statistics().active, kCalls);
  Guest waits(runner(), chorus("an image"));
  EXPECT_TRUE(waits.is_queued());
  all[2]->cancel();
  expect_error(RH_CANCELLED, "cancelled during denoise", [&] { all[2]->result(); });
  EXPECT_TRUE(waits.result().was_loaded);
  EXPECT_EQ(pool().statistics().active, kCalls - 1) << "a cancel is of its own request alone";
}

TEST_F(CompanyTest, AModelThatIsUnloadedFinishesAllItsRequestsFirst) {
  run(chorus("an image"));
  const auto all = guests("slow", kCalls, 30);
  for (const auto& guest : all)
    ASSERT_TRUE(guest->is_working());
  EXPECT_EQ(pool().unload("chorus"), 1U);
  for (const auto& guest : all)
    EXPECT_NO_THROW(guest->result());
  EXPECT_TRUE(eventually([&] { return pool().residents().empty(); }));
}

TEST_F(CompanyTest, AShutdownEndsThemAll) {
  run(chorus("an image"));
  const auto all = guests("slow", kCalls, 1000);
  for (const auto& guest : all)
    ASSERT_TRUE(guest->is_working());
  pool().shutdown(milliseconds(0));
  for (const auto& guest : all)
    expect_error(RH_CANCELLED, "cancelled", [&] { guest->result(); });
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(CompanyTest, CancelsAtRandomMomentsLeaveTheOthersAlone) {
  run(chorus("an image"));
  std::vector<std::future<void>> people;
  for (int person = 0; person < 6; ++person) {
    people.push_back(std::async(std::launch::async, [this, person] {
      for (int round = 0; round < 10; ++round) {
        if ((round + person) % 2 == 0) {
          EXPECT_NO_THROW(run(chorus("slow", 3)));
          continue;
        }
        Guest guest(runner(), chorus("slow", 1000));
        std::this_thread::sleep_for(milliseconds(7 * round));
        guest.cancel();
        expect_error(RH_CANCELLED, "cancelled", [&] { guest.result(); });
      }
    }));
  }
  for (auto& one : people)
    one.get();
  EXPECT_EQ(pool().statistics().loads, 1U);
  EXPECT_EQ(pool().statistics().failed, 0U);
}

TEST_F(CompanyTest, WhatRequestsTakeIsLearntFromThoseThatWereAlone) {
  run(chorus("an image"));
  const std::uint64_t alone = pool().residents().at(0).estimated_bytes;
  for (const auto& guest : guests("together", kCalls))
    guest->result();
  EXPECT_EQ(pool().residents().at(0).estimated_bytes, alone);
}

}  // namespace
}  // namespace roundhouse::host
