// SPDX-License-Identifier: Apache-2.0
// Workers that are killed, hang, eat or lie, requests that are cancelled, engines that cannot be used: each
// is the affair of one request.
#include "pool_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// ---- workers ----

TEST_F(PoolTest, AKillInTheMiddleOfAStepFailsThatRequestAndNoOther) {
  ImageEvents kill;
  kill.progress = [this](const StepEvent& event) {
    if (event.step == 3) ::kill(static_cast<pid_t>(pool().residents().at(0).process), SIGKILL);
  };
  Gate gate;
  ImageEvents held = kill;
  held.progress = [&gate, kill](const StepEvent& event) {
    gate.wait();
    kill.progress(event);
  };
  Guest victim(runner(), request("slow", "m", 50), held);
  ASSERT_TRUE(victim.is_working());
  Guest waits(runner(), request("an image", "m"));
  ASSERT_TRUE(waits.is_queued());
  gate.open();
  expect_error(RH_ENGINE_CRASHED, "signal 9 (SIGKILL) in generate, killed from outside",
               [&] { victim.result(); });
  EXPECT_FALSE(waits.result().was_loaded) << "a fresh worker";
  EXPECT_EQ(pool().statistics().crashes, 1U);
  EXPECT_THAT(workers_of(getpid()), SizeIs(1));
}

TEST_F(PoolTest, AWorkerKilledWhileIdleIsReplacedUnnoticed) {
  for (int i = 0; i < 5; ++i) {
    const LeaseReport result = run(request("an image", "m"));
    EXPECT_FALSE(result.was_loaded);
    ::kill(static_cast<pid_t>(pool().residents().at(0).process), SIGKILL);
  }
  EXPECT_TRUE(eventually([&] { return pool().residents().empty(); }))
      << "it is missed without a request, too";
  EXPECT_EQ(pool().statistics().crashes, 5U);
  EXPECT_EQ(pool().statistics().failed, 0U);
}

TEST_F(PoolTest, AHungWorkerIsEndedAndTheNextRequestWorks) {
  limits_.silence_timeout = milliseconds(300);
  expect_error(RH_TIMEOUT, "showed no progress for 0.3 s in generate",
               [&] { run(request("stop yourself", "m")); });
  expect_pool_works("m");
}

TEST_F(PoolTest, NonsenseFailsItsOwnRequest) {
  for (const char* prompt : {"text into the socket", "huge frame into the socket", "a large preview"}) {
    PoolRequest bad = request(prompt, "m");
    bad.plan.job.preview_every = 1;
    ImageEvents events;
    events.preview = [](std::uint32_t, const PreviewEvent&) {};
    expect_error(RH_ENGINE_BROKEN, "engine 'puppet'", [&] { run(bad, events); });
    expect_pool_works("m");
  }
  PoolRequest bad = request("a preview with a NaN", "m");
  bad.plan.job.preview_every = 1;
  ImageEvents events;
  events.preview = [](std::uint32_t, const PreviewEvent&) { ADD_FAILURE() << "it was refused"; };
  expect_error(RH_PIPELINE_ERROR, "values of the preview are not finite", [&] { run(bad, events); });
}

TEST_F(PoolTest, AWorkerThatOutgrowsItsLimitIsEndedWithTheFigures) {
  PoolRequest greedy = request("eat memory", "m");
  greedy.plan.memory_limit_bytes = 200'000'000;
  expect_error(RH_OUT_OF_MEMORY, "MiB, 191 MiB are allowed", [&] { run(greedy); });
  EXPECT_EQ(pool().statistics().memory_kills, 1U);
  EXPECT_EQ(pool().statistics().crashes, 0U);
  expect_pool_works("m");
}

// ---- cancelling ----

TEST_F(PoolTest, CancellingWhoWaitsHarmsNobody) {
  Gate gate;
  Guest first(runner(), request("an image", "m"), held_by(gate));
  ASSERT_TRUE(first.is_working());
  Guest second(runner(), request("an image", "m"));
  Guest third(runner(), request("an image", "m"));
  ASSERT_TRUE(second.is_queued());
  ASSERT_TRUE(third.is_queued());
  second.cancel();
  expect_error(RH_CANCELLED, "while it waited", [&] { second.result(); });
  gate.open();
  EXPECT_NO_THROW(first.result());
  EXPECT_TRUE(third.result().was_loaded);
  EXPECT_EQ(pool().statistics().cancelled, 1U);
}

TEST_F(PoolTest, CancellingWhoWorksKeepsTheWorkerForTheNext) {
  Guest works(runner(), request("slow", "m", 50));
  ASSERT_TRUE(works.is_working());
  works.cancel();
  expect_error(RH_CANCELLED, "cancelled during denoise", [&] { works.result(); });
  EXPECT_TRUE(run(request("an image", "m")).was_loaded);
}

TEST_F(PoolTest, CancellingWhoLoadsLeavesNothing) {
  PoolRequest slow = request("an image", "m");
  slow.plan.model->architecture = "slow load";
  Gate loading;
  ImageEvents events;
  events.loading = [&](const LoadingEvent& event) {
    if (event.fraction > 0) loading.open();
  };
  Guest loads(runner(), slow, events);
  ASSERT_TRUE(loading.wait());
  EXPECT_EQ(pool().residents().at(0).state, ResidentState::loading);
  loads.cancel();
  expect_error(RH_CANCELLED, "cancelled during load", [&] { loads.result(); });
  EXPECT_THAT(pool().residents(), IsEmpty());
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(PoolTest, ADeafEngineIsEndedWhenItIsCancelled) {
  options_.timeouts.cancel = milliseconds(200);
  Guest works(runner(), request("deaf", "m", 50'000));
  ASSERT_TRUE(works.is_working());
  works.cancel();
  expect_error(RH_CANCELLED, "cancelled during denoise", [&] { works.result(); });
  expect_pool_works("m");
}

// ---- engines ----

TEST_F(PoolTest, AutomaticRoutingPassesOverAnEngineThatCannotBeStarted) {
  EngineManifest broken = bad_manifest("crash_in_init");
  broken.maturity = "stable";
  broken.score = 100;
  manifests_ = {broken, puppet_manifest()};
  PoolRequest any = request("an image");
  any.plan.route.engine.reset();
  any.plan.engine = broken.id;
  const LeaseReport result = run(any);
  EXPECT_EQ(result.placement.engine, "puppet");
  ASSERT_THAT(result.notes, SizeIs(1));
  EXPECT_THAT(result.notes[0], HasSubstr("takes its place"));
  EXPECT_EQ(pool().statistics().failed, 0U);
}

TEST_F(PoolTest, AnExplicitEngineThatCannotBeStartedFails) {
  manifests_ = {bad_manifest("crash_in_init"), puppet_manifest()};
  PoolRequest named = request("an image");
  named.plan.engine = *(named.plan.route.engine = manifests_[0].id);
  for (int i = 0; i < 3; ++i) {
    EXPECT_NE(registry().snapshot()->find(manifests_[0].id), nullptr) << "one crash may be an accident";
    expect_error(RH_ENGINE_CRASHED, "died of signal 11", [&] { run(named); });
  }
  EXPECT_EQ(registry().snapshot()->find(manifests_[0].id), nullptr) << "the third in a row is none";
  EXPECT_EQ(pool().statistics().load_failures, 3U);
  expect_pool_works();
  registry().rescan();
  EXPECT_NE(registry().snapshot()->find(manifests_[0].id), nullptr);
}

}  // namespace
}  // namespace roundhouse::host
