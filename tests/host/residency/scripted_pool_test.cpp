// SPDX-License-Identifier: Apache-2.0
// A pool with an engine of this process, for what the puppet cannot show.
#include <random>

#include "pool_fixture.h"

namespace roundhouse::host {
namespace {

using ::testing::ElementsAre;

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
