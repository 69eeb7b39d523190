// SPDX-License-Identifier: Apache-2.0
// The rules of the queue, with a clock that only these tests move.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "tests/host/residency/schedule_house.h"

namespace roundhouse::host {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// ---- within a model ----

TEST(Schedule, FirstComeFirstServedWithinAModel) {
  House house(limits_of());
  house.know("a", kMega, kMega);
  const auto first = house.ask("a");
  const auto second = house.ask("a");
  const auto third = house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("load a"));
  EXPECT_EQ(house.schedule.position(second), 0U);
  EXPECT_EQ(house.schedule.position(third), 1U);
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("start a"));
  EXPECT_TRUE(house.at_work.contains(second));
  house.done(second);
  EXPECT_THAT(house.go(), ElementsAre("start a"));
  EXPECT_TRUE(house.at_work.contains(third));
}

TEST(Schedule, AWithdrawnRequestIsForgotten) {
  House house(limits_of());
  house.know("a", kMega, kMega);
  const auto first = house.ask("a");
  const auto second = house.ask("a");
  const auto third = house.ask("a");
  house.go();
  house.schedule.withdraw(second);
  EXPECT_EQ(house.schedule.position(second), std::nullopt);
  EXPECT_EQ(house.schedule.position(third), 0U);
  house.done(first);
  house.go();
  EXPECT_TRUE(house.at_work.contains(third));
}

TEST(Schedule, ARequestThatComesBackKeepsItsPlace) {
  House house(limits_of());
  house.know("a", kMega, kMega);
  house.know("b", kMega, kMega);
  const auto first = house.ask("b");
  house.go();
  const auto waits = house.ask("b");
  house.schedule.remove(house.at_work.at(first));
  house.schedule.requeue(first, "b", "b", kCost);
  EXPECT_EQ(house.schedule.position(first), 0U);
  EXPECT_EQ(house.schedule.position(waits), 1U);
}

TEST(Schedule, ParallelWorkersOfOneModelNeedRoomOfTheirOwn) {
  PoolLimits limits = limits_of(25 * kMega);
  limits.parallel = 3;
  House house(limits);
  house.know("a", 10 * kMega, 10 * kMega);
  house.know("idle", 5 * kMega, 5 * kMega);
  house.serve("idle");
  for (int i = 0; i < 4; ++i)
    house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("load a", "load a")) << "the third would have to evict another model";
}

TEST(Schedule, NoMoreAreAtWorkThanMayBe) {
  PoolLimits limits = limits_of();
  limits.max_active = 1;
  House house(limits);
  for (const char* model : {"a", "b"}) {
    house.know(model, kMega, kMega);
    house.serve(model);
  }
  const auto first = house.ask("a");
  house.ask("b");
  house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("start a"));
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("start b"));
}

// ---- several at once ----

TEST(Schedule, ASpoiltWorkerTakesNoOthersAndLeavesAfterItsLastRequest) {
  House house(limits_of());
  house.capacity = 2;
  house.know("a", kMega, 2 * kMega);
  const auto first = house.ask("a");
  const auto second = house.ask("a");
  house.go();
  const Schedule::Id worker = house.at_work.at(first);
  EXPECT_FALSE(house.schedule.retire(worker, first)) << "the second is at work";
  house.ask("a");
  EXPECT_THAT(house.go(), IsEmpty());
  EXPECT_TRUE(house.schedule.retire(worker, second));
  house.schedule.remove(worker);
  EXPECT_THAT(house.go(), ElementsAre("load a"));
}

TEST(Schedule, AWorkerTakesAsManyAtOnceAsItsCapacity) {
  House house(limits_of());
  house.capacity = 2;
  house.know("a", kMega, 2 * kMega);
  const auto first = house.ask("a");
  const auto second = house.ask("a");
  const auto third = house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("load a", "start a"));
  EXPECT_EQ(house.at_work.at(first), house.at_work.at(second)) << "the same worker";
  EXPECT_EQ(house.schedule.active(), 2U);
  EXPECT_EQ(house.schedule.position(third), 0U);
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("start a"));
  house.done(second);
  EXPECT_THAT(house.schedule.expire(house.now + std::chrono::hours(1)), IsEmpty()) << "the third is at work";
  house.done(third);
  EXPECT_EQ(house.schedule.expire(house.now + std::chrono::hours(1)).size(), 1U);
}

TEST(Schedule, ThoseAtWorkOnOneModelTakeTheirMemoryTogether) {
  House house(limits_of(70 * kMega));
  house.capacity = 4;
  house.know("a", 30 * kMega, 50 * kMega);
  const auto first = house.ask("a");
  house.ask("a");
  house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("load a", "start a")) << "the model once, 20 MB for each";
  EXPECT_EQ(house.schedule.used_bytes(), 70 * kMega);
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("start a"));
}

TEST(Schedule, MoreThanTheCapacityNeedsAnotherWorker) {
  PoolLimits limits = limits_of();
  limits.parallel = 2;
  House house(limits);
  house.capacity = 2;
  house.know("a", kMega, kMega);
  for (int i = 0; i < 5; ++i)
    house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("load a", "start a", "load a", "start a"));
}

TEST(Schedule, NobodyJoinsAWorkerThatIsToLeave) {
  House house(limits_of());
  house.capacity = 2;
  house.know("a", kMega, kMega);
  const auto first = house.ask("a");
  house.go();
  std::size_t count = 0;
  house.schedule.unload("a", count);
  house.ask("a");
  EXPECT_THAT(house.go(), IsEmpty());
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("load a"));
}

// ---- between models ----

TEST(Schedule, ALoadedModelServesItsQueueBeforeItMakesRoomButNotForEver) {
  PoolLimits limits = limits_of(100 * kMega, 1);
  limits.bypass_requests = 3;
  House house(limits);
  house.know("a", kMega, kMega);
  house.know("b", kMega, kMega);
  Schedule::Id at_work = house.ask("a");
  house.go();
  house.ask("b");
  std::vector<std::string> story;
  for (int i = 0; i < 5; ++i) {
    const Schedule::Id next = house.ask("a");
    house.done(at_work);
    const auto more = house.go();
    story.insert(story.end(), more.begin(), more.end());
    at_work = house.at_work.empty() ? next : house.at_work.begin()->first;
  }
  EXPECT_THAT(story, ElementsAre("start a", "start a", "start a", "evict a", "load b", "evict b", "load a"))
      << "three may go first";
}

TEST(Schedule, NobodyGoesFirstOnceSomebodyHasWaitedLongForThem) {
  PoolLimits limits = limits_of(100 * kMega, 1);
  limits.bypass_requests = 1000;
  limits.bypass_time = seconds(30);
  House house(limits);
  house.know("a", kMega, kMega);
  house.know("b", kMega, kMega);
  auto first = house.ask("a");
  house.go();
  house.ask("b");
  auto second = house.ask("a");
  house.ask("a");
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("start a"));
  house.now += seconds(29);
  house.done(second);
  EXPECT_THAT(house.go(), ElementsAre("start a"));
  house.now += seconds(1);
  house.ask("a");
  house.done(house.at_work.begin()->first);
  EXPECT_THAT(house.go(), ElementsAre("evict a", "load b"));
}

// However requests come and end: nobody is passed by more than the bound, within a model the order holds, and
// all are served.
TEST(Schedule, NobodyStarves) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const auto pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
    PoolLimits limits = limits_of((20 + pick(60)) * kMega, 1 + pick(3));
    limits.bypass_requests = pick(5);
    limits.max_active = pick(3);
    limits.parallel = 1 + pick(2);
    House house(limits);
    house.capacity = 1 + pick(3);
    const std::vector<std::string> models{"a", "b", "c", "d"};
    for (const std::string& model : models) {
      const std::uint64_t held = (5 + pick(10)) * kMega;
      house.know(model, held, held + pick(5) * kMega);
    }
    std::vector<Schedule::Id> waiting;  // as they came
    std::map<Schedule::Id, unsigned> passed;
    const auto settle = [&] {
      const auto before = house.at_work;
      house.go();
      ASSERT_LE(house.schedule.used_bytes(), limits.memory_bytes) << seed;
      // Ids rise as requests come; several may have begun at once, in an order that is not seen here.
      std::vector<Schedule::Id> begun;
      for (const auto& [id, worker] : house.at_work)
        if (!before.contains(id)) begun.push_back(id);
      std::erase_if(waiting, [&](Schedule::Id id) { return house.at_work.contains(id); });
      for (const Schedule::Id id : waiting) {
        for (const Schedule::Id other : begun) {
          passed[id] += other > id ? 1 : 0;
          ASSERT_FALSE(other > id && house.asked[other] == house.asked[id]) << "seed " << seed;
        }
        ASSERT_LE(passed[id], limits.bypass_requests) << "seed " << seed;
      }
    };
    for (int event = 0; event < 300; ++event) {
      if (pick(2) == 0) {
        waiting.push_back(house.ask(models[pick(4)]));
      } else if (!house.at_work.empty()) {
        house.done(
            std::next(house.at_work.begin(), pick(static_cast<unsigned>(house.at_work.size())))->first);
      }
      settle();
      if (HasFatalFailure()) return;
    }
    while (!house.at_work.empty()) {
      house.done(house.at_work.begin()->first);
      settle();
      if (HasFatalFailure()) return;
    }
    EXPECT_THAT(waiting, IsEmpty()) << "seed " << seed;
  }
}

// ---- ends ----

TEST(Schedule, AnIdleModelExpiresAndEveryRequestBeginsItsTimeAnew) {
  House house(limits_of());
  house.know("a", kMega, kMega);
  house.serve("a");
  house.now += seconds(299);
  EXPECT_THAT(house.schedule.expire(house.now), IsEmpty());
  house.serve("a");
  house.now += seconds(299);
  EXPECT_THAT(house.schedule.expire(house.now), IsEmpty());
  EXPECT_EQ(house.schedule.next_expiry(), house.now + seconds(1));
  house.now += seconds(1);
  const auto gone = house.schedule.expire(house.now);
  ASSERT_EQ(gone.size(), 1U);
  EXPECT_EQ(house.schedule.workers().at(gone[0]).state, ResidentState::leaving);
}

TEST(Schedule, ABusyModelDoesNotExpire) {
  House house(limits_of());
  house.know("a", kMega, kMega);
  house.serve("a");
  house.ask("a");
  house.go();
  house.now += std::chrono::hours(10);
  EXPECT_THAT(house.schedule.expire(house.now), IsEmpty());
  EXPECT_EQ(house.schedule.next_expiry(), std::nullopt);
}

TEST(Schedule, ZeroUnloadsWhenNobodyWaitsAndANegativeTimeNever) {
  House house(limits_of());
  house.know("a", kMega, kMega);
  const auto first = house.ask("a");
  house.go();
  const auto second = house.ask("a");
  house.done(first, KeepAlive(0));
  EXPECT_THAT(house.schedule.expire(house.now), IsEmpty()) << "somebody waits for it";
  EXPECT_THAT(house.go(), ElementsAre("start a"));
  house.done(second, kForever);
  house.now += std::chrono::hours(100'000);
  EXPECT_THAT(house.schedule.expire(house.now), IsEmpty());
  const auto third = house.ask("a");
  house.go();
  house.done(third, KeepAlive(0));
  EXPECT_EQ(house.schedule.expire(house.now).size(), 1U);
}

TEST(Schedule, UnloadingWaitsForTheRequestAtWork) {
  House house(limits_of());
  house.know("a", kMega, kMega);
  house.know("b", kMega, kMega);
  house.serve("b");
  const auto first = house.ask("a");
  house.go();
  std::size_t count = 0;
  EXPECT_THAT(house.schedule.unload("a", count), IsEmpty());
  EXPECT_EQ(count, 1U);
  EXPECT_TRUE(house.schedule.finish(house.at_work.at(first), first, house.now, seconds(300)));
  count = 0;
  EXPECT_EQ(house.schedule.unload("", count).size(), 1U) << "b; a is leaving already";
  EXPECT_EQ(count, 1U);
}

}  // namespace
}  // namespace roundhouse::host
