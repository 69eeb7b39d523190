// SPDX-License-Identifier: Apache-2.0
// Pools at work with an engine that does what it is told.
#include <sys/wait.h>

#include "pool_fixture.h"

namespace roundhouse::host {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// ---- work ----

TEST_F(PoolTest, ARequestGoesFromTheQueueToTheLastImage) {
  PoolRequest two = request("an image", "m");
  two.plan.images = 2;
  std::string story;
  ImageEvents events;
  events.loading = [&](const LoadingEvent& event) { story += "loading " + event.engine + "; "; };
  events.loaded = [&](const LeaseReport& lease) {
    story += lease.opened.load_milliseconds > 0 ? "loaded; " : "was there; ";
  };
  events.progress = [&](const StepEvent& event) {
    story += std::to_string(event.image) + "." + std::to_string(event.step) + " ";
  };
  events.image = [&](std::uint32_t image, std::uint64_t seed, const ImageResult& result) {
    story += "image " + std::to_string(image) + " of seed " + std::to_string(seed) + "; ";
    EXPECT_EQ(result.image.rgb.at(2), seed);
  };
  const LeaseReport first = run(two, events);
  EXPECT_EQ(story, "loading puppet; loaded; 0.1 0.2 image 0 of seed 5; 1.1 1.2 image 1 of seed 6; ");
  EXPECT_EQ(first.placement.engine, "puppet");
  EXPECT_FALSE(first.was_loaded);
  EXPECT_GT(first.loading_milliseconds, 0);

  story.clear();
  const LeaseReport second = run(two, events);
  EXPECT_TRUE(second.was_loaded);
  EXPECT_THAT(story, HasSubstr("was there; 0.1"));
  const PoolStatistics statistics = pool().statistics();
  EXPECT_EQ(statistics.served, 2U);
  EXPECT_EQ(statistics.calls, 4U);
  EXPECT_EQ(statistics.loads, 1U);
  EXPECT_EQ(statistics.loaded, 1U);
  EXPECT_THAT(workers_of(getpid()), SizeIs(1));
}

TEST_F(PoolTest, ResidentsSayWhoIsThere) {
  Gate gate;
  Guest busy(runner(), request("an image", "busy"), held_by(gate));
  ASSERT_TRUE(busy.is_working());
  PoolRequest other = request("an image", "other");
  other.keep_alive = seconds(60);
  LeaseRequest stored;
  stored.placement = other.plan;
  stored.keep_alive = other.keep_alive;
  stored.digest = "sha256:1";
  const std::atomic<bool> never{false};
  pool().lend(stored, never, {}, nullptr);
  run(other);
  const std::vector<Resident> residents = pool().residents();
  ASSERT_THAT(residents, SizeIs(2));
  const Resident& idle = residents[0].name == "other" ? residents[0] : residents[1];
  const Resident& works = residents[0].name == "other" ? residents[1] : residents[0];
  EXPECT_EQ(idle.state, ResidentState::idle);
  EXPECT_EQ(idle.engine, "puppet");
  EXPECT_EQ(idle.digest, "sha256:1");
  EXPECT_EQ(idle.requests, 2U);
  EXPECT_GT(idle.resident_bytes, 1U << 20);
  EXPECT_GE(idle.estimated_bytes, idle.resident_bytes / 2);
  ASSERT_TRUE(idle.expires_at);
  const auto left = *idle.expires_at - std::chrono::system_clock::now();
  EXPECT_GT(left, seconds(50));
  EXPECT_LE(left, seconds(60));
  EXPECT_EQ(works.name, "busy");
  EXPECT_EQ(works.state, ResidentState::busy);
  EXPECT_EQ(works.expires_at, std::nullopt);
  EXPECT_GT(works.process, 0);
  gate.open();
  busy.result();
}

TEST_F(PoolTest, APlacementWithoutATaskIsLoaded) {
  LeaseRequest wanted;
  wanted.placement = request("an image", "m").plan;
  const std::atomic<bool> never{false};
  EXPECT_FALSE(pool().lend(wanted, never, {}, nullptr).was_loaded);
  EXPECT_TRUE(pool().lend(wanted, never, {}, nullptr).was_loaded);
  EXPECT_EQ(runner().statistics().images, 0U);
  EXPECT_TRUE(run(request("an image", "m")).was_loaded);
}

TEST_F(PoolTest, DifferentOptionsNeedDifferentWorkers) {
  run(request("an image", "m"));
  PoolRequest other = request("an image", "m");
  other.plan.memory_limit_bytes = std::uint64_t{1} << 30;
  EXPECT_FALSE(run(other).was_loaded);
  EXPECT_TRUE(run(request("an image", "m")).was_loaded);
}

TEST_F(PoolTest, LoadingTellsHowFarItIs) {
  PoolRequest slow = request("an image", "m");
  slow.plan.model->architecture = "slow load";
  std::vector<double> fractions;
  ImageEvents events;
  events.loading = [&](const LoadingEvent& event) { fractions.push_back(event.fraction); };
  run(slow, events);
  ASSERT_GT(fractions.size(), 3U);
  EXPECT_EQ(fractions.front(), 0);
  EXPECT_TRUE(std::is_sorted(fractions.begin(), fractions.end()));
  EXPECT_LE(fractions.back(), 1);
  EXPECT_GT(fractions.back(), 0.5);
}

TEST_F(PoolTest, TheTimeLeftFallsToNothing) {
  std::vector<double> left;
  ImageEvents events;
  events.progress = [&](const StepEvent& event) {
    if (event.eta_seconds) left.push_back(*event.eta_seconds);
    EXPECT_GT(event.seconds_per_step, 0);
  };
  run(request("slow", "m", 10), events);
  ASSERT_THAT(left, SizeIs(10));
  EXPECT_TRUE(std::is_sorted(left.rbegin(), left.rend()));
  EXPECT_GT(left.front(), 0.05);
  EXPECT_EQ(left.back(), 0);
}

TEST_F(PoolTest, PreviewsComeAsOftenAsTheyWereAskedFor) {
  PoolRequest wants = request("an image", "m", 6);
  wants.plan.job.preview_every = 2;
  std::vector<std::uint32_t> steps;
  ImageEvents events;
  events.preview = [&](std::uint32_t image, const PreviewEvent& event) {
    EXPECT_EQ(image, 0U);
    EXPECT_EQ(event.steps, 6U);
    EXPECT_EQ(event.image.rgb, std::vector<std::uint8_t>(std::size_t{3} * 8 * 4, 128));
    steps.push_back(event.step);
  };
  run(wants, events);
  EXPECT_THAT(steps, ElementsAre(2, 4));
  EXPECT_EQ(runner().statistics().previews, 2U);
  run(wants);  // nobody looks: none are made
  EXPECT_EQ(runner().statistics().previews, 2U);
}

TEST_F(PoolTest, AnExceptionOfTheCallerPassesThroughAndTheWorkerStays) {
  ImageEvents events;
  events.image = [](std::uint32_t, std::uint64_t, const ImageResult&) { throw Error(RH_IO_ERROR, "disk"); };
  expect_error(RH_IO_ERROR, "disk", [&] { run(request("an image", "m"), events); });
  events.image = {};
  events.progress = [](const StepEvent&) { throw 42; };
  EXPECT_THROW(run(request("an image", "m"), events), int);
  EXPECT_TRUE(run(request("an image", "m")).was_loaded);
}

// ---- the queue ----

TEST_F(PoolTest, BeyondTheCapTheQueueIsFull) {
  limits_.queue = 1;
  Gate gate;
  Guest first(runner(), request("an image", "m"), held_by(gate));
  ASSERT_TRUE(first.is_working());
  Guest second(runner(), request("an image", "m"));
  ASSERT_TRUE(second.is_queued());
  try {
    run(request("an image", "m"));
    ADD_FAILURE();
  } catch (const QueueFull& error) {
    EXPECT_EQ(error.code(), RH_QUEUE_FULL);
    EXPECT_THAT(error.what(), HasSubstr("1 request is waiting already, at most 1 may"));
    EXPECT_GE(error.retry_after_seconds(), 1U);
  }
  EXPECT_EQ(pool().statistics().refused, 1U);
  EXPECT_EQ(pool().statistics().waiting, 1U);
  gate.open();
  first.result();
  EXPECT_TRUE(second.result().was_loaded);
}

TEST_F(PoolTest, WithoutAQueueWhatCanBeginAtOnceIsStillServed) {
  limits_.queue = 0;
  run(request("an image", "m"));
  expect_pool_works("m");
}

TEST_F(PoolTest, PositionsAreToldAsTheyChange) {
  Gate first_gate, second_gate;
  Guest first(runner(), request("an image", "m"), held_by(first_gate));
  ASSERT_TRUE(first.is_working());
  Guest second(runner(), request("an image", "m"), held_by(second_gate));
  ASSERT_TRUE(second.is_queued());
  std::mutex mutex;
  std::vector<std::uint32_t> positions;
  ImageEvents events;
  events.queued = [&](const QueuedEvent& event) {
    const std::lock_guard lock(mutex);
    positions.push_back(event.position);
  };
  Guest third(runner(), request("an image", "m"), events);
  ASSERT_TRUE(third.is_queued());
  first_gate.open();
  ASSERT_TRUE(second.is_working());
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return positions.size() == 2;
  }));
  second_gate.open();
  third.result();
  EXPECT_THAT(positions, ElementsAre(1, 0));
}

TEST_F(PoolTest, TwoModelsWorkAtTheSameTime) {
  Gate gate;
  Guest first(runner(), request("an image", "a"), held_by(gate));
  Guest second(runner(), request("an image", "b"), held_by(gate));
  EXPECT_TRUE(first.is_working());
  EXPECT_TRUE(second.is_working());
  EXPECT_EQ(pool().statistics().active, 2U);
  gate.open();
  first.result();
  second.result();
}

TEST_F(PoolTest, ABusyModelIsWaitedForAndThenMakesRoom) {
  limits_.max_loaded = 1;
  Gate gate;
  Guest first(runner(), request("an image", "a"), held_by(gate));
  ASSERT_TRUE(first.is_working());
  Guest second(runner(), request("an image", "b"));
  ASSERT_TRUE(second.is_queued());
  EXPECT_THAT(workers_of(getpid()), SizeIs(1));
  gate.open();
  first.result();
  second.result();
  EXPECT_EQ(first.images(), 1U);
  EXPECT_EQ(pool().statistics().evictions, 1U);
  EXPECT_THAT(workers_of(getpid()), SizeIs(1));
}

// ---- ends ----

TEST_F(PoolTest, AnIdleModelIsUnloaded) {
  limits_.keep_alive = milliseconds(50);
  run(request("an image", "m"));
  EXPECT_TRUE(eventually([&] { return pool().residents().empty(); }));
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
  EXPECT_EQ(pool().statistics().expirations, 1U);
  expect_pool_works("m");
}

TEST_F(PoolTest, KeepAliveOfTheRequestCounts) {
  PoolRequest once = request("an image", "once");
  once.keep_alive = KeepAlive(0);
  PoolRequest for_ever = request("an image", "for ever");
  for_ever.keep_alive = kForever;
  run(for_ever);
  run(once);
  EXPECT_TRUE(eventually([&] { return pool().residents().size() == 1; }));
  EXPECT_EQ(pool().residents()[0].name, "for ever");
  EXPECT_EQ(pool().residents()[0].expires_at, std::nullopt);
}

TEST_F(PoolTest, APinnedModelStays) {
  limits_.keep_alive = KeepAlive(0);
  limits_.pinned = {"m"};
  run(request("an image", "m"));
  run(request("an image", "other"));
  EXPECT_TRUE(eventually([&] { return pool().residents().size() == 1; }));
  EXPECT_EQ(pool().residents()[0].name, "m");
  EXPECT_TRUE(pool().residents()[0].pinned);
  pool().pin("m", false);
  EXPECT_TRUE(eventually([&] { return pool().residents().empty(); }));
}

TEST_F(PoolTest, UnloadingEndsIdleWorkersAtOnceAndOthersAfterTheirRequest) {
  Gate gate;
  Guest busy(runner(), request("an image", "m"), held_by(gate));
  ASSERT_TRUE(busy.is_working());
  run(request("an image", "other"));
  EXPECT_EQ(pool().unload("nothing"), 0U);
  EXPECT_EQ(pool().unload(""), 0U);
  EXPECT_EQ(pool().unload("other"), 1U);
  EXPECT_THAT(workers_of(getpid()), SizeIs(1));
  EXPECT_EQ(pool().unload_all(), 1U);
  gate.open();
  busy.result();
  EXPECT_EQ(busy.images(), 1U) << "it was not cut short";
  EXPECT_TRUE(eventually([&] { return pool().residents().empty(); }));
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

TEST_F(PoolTest, ShuttingDownCancelsWhoWaitsAndLetsWorkFinishForAWhile) {
  Gate gate;
  ImageEvents events = held_by(gate);
  Guest works(runner(), request("an image", "m"), events);
  ASSERT_TRUE(works.is_working());
  Guest waits(runner(), request("an image", "m"));
  ASSERT_TRUE(waits.is_queued());
  std::thread end([&] { pool().shutdown(seconds(30)); });
  expect_error(RH_CANCELLED, "shutting down", [&] { waits.result(); });
  expect_error(RH_CANCELLED, "shutting down", [&] { run(request("an image", "m")); });
  gate.open();
  EXPECT_NO_THROW(works.result());
  end.join();
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
  EXPECT_THAT(pool().residents(), IsEmpty());
}

TEST_F(PoolTest, ShuttingDownCancelsWorkThatTakesTooLong) {
  Guest works(runner(), request("slow", "m", 50));
  ASSERT_TRUE(works.is_working());
  pool().shutdown(milliseconds(0));
  expect_error(RH_CANCELLED, "cancelled during denoise", [&] { works.result(); });
  EXPECT_THAT(workers_of(getpid()), IsEmpty());
}

}  // namespace
}  // namespace roundhouse::host
