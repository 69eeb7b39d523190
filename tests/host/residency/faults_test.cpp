// SPDX-License-Identifier: Apache-2.0
// Workers that are killed, hang, eat or lie, requests that are cancelled, engines that cannot be used: each
// is the affair of one request.
#include <sys/wait.h>

#include <random>

#include "pool_fixture.h"

namespace roundhouse::host {
namespace {

using std::chrono::seconds;
using ::testing::ElementsAre;
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

// ---- an engine of this process, for what the puppet cannot show ----

struct Script {
  std::atomic<int> opened{0}, surveyed{0};
  std::function<void(const ModelSource&)> open;
  std::function<Estimate()> estimate;
  std::optional<Error> failure;  // of generate
};

class ScriptedClient final : public EngineClient {
 public:
  explicit ScriptedClient(Script& script) : script_(script) {}
  EngineReport probe() override {
    const EngineManifest manifest = puppet_manifest();
    EngineReport report;
    report.id = manifest.id;
    report.capabilities = manifest.capabilities;
    return report;
  }
  OpenResult open(const ModelSource& job, const CallEvents&) override {
    ++script_.opened;
    if (script_.open) script_.open(job);
    return {};
  }
  void call(const Call& call) override {
    Message answer = call.operation == "estimate" ? estimated() : generated(call.request);
    call.answer(answer);
  }
  std::unique_ptr<EngineClient> beside() override { return std::make_unique<ScriptedClient>(script_); }
  void cancel() noexcept override {}
  bool alive() override { return true; }
  bool was_heard() const noexcept override { return true; }
  pid_t process() const noexcept override { return 0; }
  void kill() noexcept override {}

 private:
  Message generated(const Message& request) {
    if (script_.failure) throw *script_.failure;
    const auto task = decode<ImageTask>(request.json);
    ImageResult result;
    result.image = {task.width, task.height, {}};
    return {encode(result), std::vector<std::uint8_t>(std::size_t{3} * task.width * task.height)};
  }
  Message estimated() {
    ++script_.surveyed;
    if (script_.estimate) return {encode(script_.estimate())};
    throw Error(RH_CAPABILITY_UNSUPPORTED, "cannot tell");
  }

  Script& script_;
};

class ScriptedPoolTest : public PoolTest {
 protected:
  ScriptedPoolTest() {
    factory_ = [this](const EngineManifest&, const ClientOptions&) {
      return std::make_unique<ScriptedClient>(script_);
    };
  }
  ~ScriptedPoolTest() override { pool_.reset(); }
  Script script_;
};

TEST_F(ScriptedPoolTest, WhoWaitsForAModelThatCannotBeLoadedIsToldWithoutAnotherAttempt) {
  Gate gate;
  script_.open = [&gate](const ModelSource&) {
    gate.wait();
    throw Error(RH_MODEL_INVALID, "vae/config.json: is damaged");
  };
  Guest first(runner(), request("an image", "m"));
  ASSERT_TRUE(eventually([&] { return script_.opened == 1; }));
  Guest second(runner(), request("an image", "m"));
  ASSERT_TRUE(second.is_queued());
  gate.open();
  expect_error(RH_MODEL_INVALID, "is damaged", [&] { first.result(); });
  expect_error(RH_MODEL_INVALID, "is damaged", [&] { second.result(); });
  EXPECT_EQ(script_.opened, 1);
  EXPECT_THROW(run(request("an image", "m")), Error) << "who comes later asks again";
  EXPECT_EQ(script_.opened, 2);
}

TEST_F(ScriptedPoolTest, CrashesOfLoadingAreTriedAgainButNotForEver) {
  Gate gate;
  script_.open = [&gate](const ModelSource&) {
    gate.wait();
    throw Error(RH_ENGINE_CRASHED, "died of signal 9 in load");
  };
  std::vector<std::unique_ptr<Guest>> guests;
  for (int i = 0; i < 6; ++i) {
    guests.push_back(std::make_unique<Guest>(runner(), request("an image", "m")));
    if (i == 0)
      ASSERT_TRUE(eventually([&] { return script_.opened == 1; }));
    else
      ASSERT_TRUE(guests.back()->is_queued());
  }
  gate.open();
  for (const auto& guest : guests)
    expect_error(RH_ENGINE_CRASHED, "signal 9 in load", [&] { guest->result(); });
  EXPECT_EQ(script_.opened, 3);
}

TEST_F(ScriptedPoolTest, AWorkerStaysAfterAFailureUnlessItIsSpoilt) {
  run(request("an image", "m"));
  script_.failure = Error(RH_PIPELINE_ERROR, "not finite");
  expect_error(RH_PIPELINE_ERROR, "not finite", [&] { run(request("an image", "m")); });
  EXPECT_EQ(pool().residents().size(), 1U);
  script_.failure = Error(RH_OUT_OF_MEMORY, "none left");
  expect_error(RH_OUT_OF_MEMORY, "none left", [&] { run(request("an image", "m")); });
  EXPECT_EQ(pool().residents().size(), 0U) << "its memory has to come back";
  script_.failure.reset();
  expect_pool_works("m");
}

TEST_F(ScriptedPoolTest, InASmallBudgetTheEngineIsAskedOnceAndBelieved) {
  limits_.memory_bytes = 100'000'000;
  script_.estimate = [] {
    return Estimate{{{"load", 1, 0, 30'000'000}, {"denoise", 800, 0, 60'000'000}}, 40'000'000};
  };
  PoolRequest small = request("an image", "a");
  run(small);
  run(request("an image", "b"));
  EXPECT_EQ(pool().residents().size(), 2U) << "40 MB idle, 60 MB at work";
  EXPECT_EQ(pool().residents()[0].estimated_bytes, 40'000'000U);
  run(request("an image", "c"));
  EXPECT_EQ(pool().residents().size(), 2U);
  EXPECT_EQ(pool().statistics().evictions, 1U);
  EXPECT_EQ(script_.surveyed, 3);
  run(small);
  EXPECT_EQ(script_.surveyed, 3) << "it is remembered after the model has gone";
}

TEST_F(ScriptedPoolTest, WhatCanNeverFitFailsBeforeItIsLoaded) {
  limits_.memory_bytes = 100'000'000;
  script_.estimate = [] { return Estimate{{{"denoise", 800, 0, 600'000'000}}, 500'000'000}; };
  expect_error(RH_OUT_OF_MEMORY, "model 'a' needs about 572 MiB for this, 95 MiB are allowed",
               [&] { run(request("an image", "a")); });
  script_.estimate = []() -> Estimate { throw Error(RH_OUT_OF_MEMORY, "the engine's own figures"); };
  expect_error(RH_OUT_OF_MEMORY, "the engine's own figures", [&] { run(request("an image", "b")); });
  EXPECT_EQ(script_.opened, 0);
}

TEST_F(ScriptedPoolTest, TheBudgetIsTheLimitOfEveryWorker) {
  limits_.memory_bytes = 5'000'000'000;
  std::vector<std::uint64_t> told;
  script_.open = [&](const ModelSource& job) { told.push_back(job.memory_limit_bytes); };
  PoolRequest less = request("an image", "m");
  less.plan.memory_limit_bytes = 7;
  PoolRequest more = request("an image", "m");
  more.plan.memory_limit_bytes = 6'000'000'000;
  run(request("an image", "m"));
  run(less);
  run(more);
  EXPECT_THAT(told, ElementsAre(5'000'000'000U, 7U, 5'000'000'000U));
}

// ---- many at once ----

// Requests for more models than there is room for, some of which are cancelled at any moment: every one ends,
// and those that end well have their image.
TEST_F(ScriptedPoolTest, ManyRequestsOnManyThreads) {
  limits_.max_loaded = 2;
  limits_.queue = 1000;
  limits_.bypass_requests = 3;
  limits_.keep_alive = milliseconds(1);
  runner();
  std::atomic<int> done{0}, cancelled{0};
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 8; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 random(thread);
      for (int i = 0; i < 50; ++i) {
        std::atomic<bool> cancel{random() % 8 == 0};
        ImageEvents events;
        events.image = [&](std::uint32_t, std::uint64_t, const ImageResult&) { ++done; };
        try {
          const std::string model(1, static_cast<char>('a' + random() % 4));
          runner_->run(request("an image", model).plan, std::nullopt, cancel, events);
        } catch (const Error& error) {
          cancelled += error.code() == RH_CANCELLED ? 1 : 0;
        }
        if (random() % 16 == 0) pool_->unload_all();
        if (random() % 16 == 0) pool_->residents();
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  EXPECT_EQ(done + cancelled, 400);
  EXPECT_EQ(pool_->statistics().waiting, 0U);
  EXPECT_EQ(pool_->statistics().active, 0U);
}

}  // namespace
}  // namespace roundhouse::host
