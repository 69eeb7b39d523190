// SPDX-License-Identifier: Apache-2.0
// Where a request has room, and who has to make it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/host/residency/schedule_house.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Schedule, WhoOnlyWantsTheModelAsksNoEngineAndIsNotKeptOutByAGuess) {
  House house(limits_of(2'000 * kMega));
  house.schedule.needs().expect("a", {{1, 1, 3'000 * kMega}});
  house.ask("a", std::nullopt);
  EXPECT_THAT(house.go(), ElementsAre("load a"));
}

TEST(Schedule, FiguresOfOneKindSayNothingOfAnother) {
  House house(limits_of(100 * kMega));
  house.know("a", 30 * kMega, 90 * kMega);
  house.know("b", 30 * kMega, 40 * kMega);
  house.serve("b");
  house.ask("a", Cost{"another", kCost.units});
  EXPECT_THAT(house.go(), ElementsAre("load a")) << "30 MB as far as is known";
}

TEST(Schedule, EachDeviceHasABudgetOfItsOwn) {
  PoolLimits limits = limits_of();
  limits.device_bytes = {{"cuda:0", 80 * kMega}};
  House house(limits);
  for (const char* model : {"a", "b", "c"})
    house.know(model, kMega, kMega);
  house.schedule.needs().note_device("a", "cuda:0", 50 * kMega);
  house.schedule.needs().note_device("b", "cuda:0", 50 * kMega);
  house.schedule.needs().note_device("c", "cuda:1", 500 * kMega);
  house.serve("a");
  house.ask("c");
  EXPECT_THAT(house.go(), ElementsAre("load c")) << "another device, whose size nobody knows";
  house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("evict a", "load b"));
}

TEST(Schedule, TheLeastRecentlyUsedIdleModelMakesRoom) {
  House house(limits_of(100 * kMega, 3));
  for (const char* model : {"a", "b", "c", "d"})
    house.know(model, kMega, kMega);
  house.serve("a");
  house.serve("b");
  house.serve("c");
  house.serve("a");
  house.ask("d");
  EXPECT_THAT(house.go(), ElementsAre("evict b", "load d"));
}

TEST(Schedule, ThreeModelsInASmallBudget) {
  House house(limits_of(100 * kMega));
  house.know("a", 40 * kMega, 45 * kMega);
  house.know("b", 40 * kMega, 45 * kMega);
  house.know("c", 60 * kMega, 80 * kMega);
  house.serve("a");
  house.serve("b");
  EXPECT_EQ(house.schedule.used_bytes(), 80 * kMega);
  house.ask("c");
  EXPECT_THAT(house.go(), ElementsAre("evict a", "evict b", "load c")) << "with one of them 120 MB";
  EXPECT_EQ(house.schedule.used_bytes(), 80 * kMega);
}

TEST(Schedule, ABusyModelIsNeverEvicted) {
  House house(limits_of(50 * kMega));
  house.know("a", 30 * kMega, 30 * kMega);
  house.know("b", 30 * kMega, 30 * kMega);
  const auto first = house.ask("a");
  house.go();
  house.ask("b");
  EXPECT_THAT(house.go(), IsEmpty()) << "it waits instead of failing";
  house.now += std::chrono::hours(1);
  EXPECT_THAT(house.go(), IsEmpty());
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("evict a", "load b"));
}

TEST(Schedule, APinnedModelIsNeitherEvictedNorExpired) {
  PoolLimits limits = limits_of(50 * kMega);
  limits.pinned = {"a"};
  House house(limits);
  house.know("a", 20 * kMega, 20 * kMega);
  house.know("b", 25 * kMega, 25 * kMega);
  house.know("c", 25 * kMega, 25 * kMega);
  house.serve("a");
  house.serve("b");
  house.ask("c");
  EXPECT_THAT(house.go(), ElementsAre("evict b", "load c"));
  house.now += std::chrono::hours(9);
  EXPECT_THAT(house.schedule.expire(house.now), IsEmpty());
  house.schedule.pin("a", false);
  EXPECT_EQ(house.schedule.expire(house.now).size(), 1U);
}

TEST(Schedule, WhoFindsAllPlacesPinnedIsRefusedAtOnce) {
  PoolLimits limits = limits_of(100 * kMega, 1);
  limits.pinned = {"a"};
  House house(limits);
  house.know("a", kMega, kMega);
  house.know("b", kMega, kMega);
  house.serve("b");
  const auto first = house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("evict b", "load a"));
  house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("refuse b")) << "while a is at work";
  house.done(first);
  house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("refuse b"));
  EXPECT_THAT(house.refusals[0],
              HasSubstr("model 'b' has no place: 1 may be loaded at once, and pinned are a"));
  house.ask("never seen");
  EXPECT_THAT(house.go(), ElementsAre("refuse never seen")) << "a guessed size opens no other place";
  house.schedule.pin("a", false);
  house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("evict a", "load b"));
}

TEST(Schedule, APinBesideAFreePlaceRefusesNobody) {
  PoolLimits limits = limits_of(100 * kMega, 2);
  limits.pinned = {"a"};
  House house(limits);
  for (const char* model : {"a", "b", "c"})
    house.know(model, kMega, kMega);
  house.serve("a");
  const auto second = house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("load b"));
  house.ask("c");
  EXPECT_THAT(house.go(), IsEmpty()) << "it waits for the place of b";
  house.done(second);
  EXPECT_THAT(house.go(), ElementsAre("evict b", "load c"));
}

TEST(Schedule, OneWorkerOfAPinnedModelStays) {
  PoolLimits limits = limits_of(100 * kMega, 2);
  limits.pinned = {"a"};
  limits.parallel = 2;
  House house(limits);
  house.know("a", kMega, kMega);
  house.know("b", kMega, kMega);
  const auto first = house.ask("a"), second = house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("load a", "load a"));
  house.ask("b");
  EXPECT_THAT(house.go(), IsEmpty());
  house.done(first);
  EXPECT_THAT(house.go(), ElementsAre("evict a", "load b"));
  house.done(second);
  EXPECT_TRUE(std::ranges::any_of(house.schedule.workers(),
                                  [](const auto& entry) { return entry.second.name == "a"; }));
}

TEST(Schedule, AnotherWorkerOfAPinnedModelTakesThePlaceOfItsOwn) {
  PoolLimits limits = limits_of(100 * kMega, 1);
  limits.pinned = {"a"};
  House house(limits);
  house.know("a", kMega, kMega);
  house.know("a by another engine", kMega, kMega);
  house.serve("a");
  const auto id = house.schedule.enqueue("a by another engine", "a", kCost);
  house.asked[id] = "a by another engine";
  EXPECT_THAT(house.go(), ElementsAre("evict a", "load a by another engine"));
}

TEST(Schedule, WhatCanNeverFitIsRefusedWithTheFigures) {
  House house(limits_of(100 * kMega));
  house.know("a", 150 * kMega, 200 * kMega);
  house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("refuse a"));
  EXPECT_THAT(house.refusals[0], HasSubstr("model 'a' needs about 191 MiB for this, 95 MiB are allowed"));
  EXPECT_EQ(house.schedule.waiting(), 0U);
}

TEST(Schedule, WhatPinnedModelsHoldIsNotThereForOthers) {
  PoolLimits limits = limits_of(100 * kMega);
  limits.pinned = {"a"};
  House house(limits);
  house.know("a", 60 * kMega, 60 * kMega);
  house.know("b", 60 * kMega, 60 * kMega);
  house.serve("a");
  house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("refuse b"));
  EXPECT_THAT(house.refusals[0], HasSubstr("and pinned ones hold 57 MiB"));
}

TEST(Schedule, AScaledFigureKeepsNobodyOut) {
  House house(limits_of(100 * kMega));
  house.know("a", 10 * kMega, 20 * kMega);
  house.ask("a", times(100));
  EXPECT_THAT(house.go(), ElementsAre("load a")) << "the engine knows its limit and will say";
}

TEST(Schedule, ALargerImageOfALoadedModelMakesRoom) {
  House house(limits_of(100 * kMega));
  house.know("a", 30 * kMega, 40 * kMega);
  house.know("b", 30 * kMega, 40 * kMega);
  house.serve("b");
  house.serve("a");
  house.ask("a", times(5));
  EXPECT_THAT(house.go(), ElementsAre("evict b", "start a"));
}

TEST(Schedule, AnEngineIsAskedWhereTheSizeOnDiskLeavesDoubt) {
  House house(limits_of(20'000 * kMega));
  house.schedule.needs().expect("small", {{1, 1, 100 * kMega}});
  house.schedule.needs().expect("large", {{1, 2, 9'500 * kMega}});
  house.ask("small");
  EXPECT_THAT(house.go(), ElementsAre("load small"));
  const auto large = house.ask("large");
  EXPECT_THAT(house.go(), ElementsAre("survey large"));
  EXPECT_EQ(house.schedule.position(large), 0U) << "it waits meanwhile";
  EXPECT_THAT(house.go(), IsEmpty());
  house.schedule.needs().note("large", kCost, 6'000 * kMega, 8'000 * kMega);
  house.schedule.surveyed("large");
  EXPECT_THAT(house.go(), ElementsAre("load large"));
}

TEST(Schedule, WithoutAnAnswerTheSizeOnDiskCounts) {
  House house(limits_of(2'000 * kMega));
  house.schedule.needs().expect("a", {{1, 1, 1'500 * kMega}});
  house.schedule.needs().expect("b", {{1, 2, 3'000 * kMega}});
  house.ask("a");
  EXPECT_THAT(house.go(), ElementsAre("survey a"));
  house.schedule.needs().note_unknowable("a");
  house.schedule.surveyed("a");
  EXPECT_THAT(house.go(), ElementsAre("load a"));
  house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("survey b"));
  house.schedule.needs().note_unknowable("b");
  house.schedule.surveyed("b");
  EXPECT_THAT(house.go(), ElementsAre("refuse b"));
}

TEST(Schedule, OneEngineIsAskedAtATime) {
  House house(limits_of(100 * kMega));
  house.ask("a");
  house.ask("b");
  EXPECT_THAT(house.go(), ElementsAre("survey a"));
  house.schedule.surveyed("a");  // it was cancelled: another may ask
  EXPECT_THAT(house.go(), ElementsAre("survey a"));
}

TEST(Schedule, AFileThatTwoModelsMapCountsOnce) {
  const WeightFile encoder{7, 1, 50 * kMega};
  House house(limits_of(120 * kMega));
  house.know("turbo", 80 * kMega, 82 * kMega, {encoder, {7, 2, 30 * kMega}});
  house.know("base", 80 * kMega, 82 * kMega, {encoder, {7, 3, 30 * kMega}});
  house.serve("turbo");
  house.ask("base");
  EXPECT_THAT(house.go(), ElementsAre("load base")) << "162 MB, of which 50 MB are the same";
  EXPECT_EQ(house.schedule.used_bytes(), 112 * kMega);
}

}  // namespace
}  // namespace roundhouse::host
