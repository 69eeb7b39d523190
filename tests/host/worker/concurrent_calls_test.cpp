// SPDX-License-Identifier: Apache-2.0
// Several calls of one worker at once: misbehaviour first, then company, cancelling, and callers who are
// slow.
#include <future>
#include <set>

#include "chorus_manifest.h"

namespace roundhouse::host {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr std::size_t kCalls = 4;

class ConcurrentCallsTest : public WorkerTest {
 protected:
  // A client with a model that takes so many calls at once, and others beside it.
  void open(std::int64_t calls = kCalls) {
    clients_.push_back(make(chorus_manifest()));
    opened_ = clients_[0]->open({"", "", 0, {{"calls", calls}}});
    while (clients_.size() < kCalls)
      clients_.push_back(clients_[0]->beside());
  }

  // A call on a thread of its own.
  std::future<ImageResult> begin(std::size_t client, const std::string& prompt, std::uint32_t steps = 2) {
    ImageTask task = job_of(prompt);
    task.steps = steps;
    task.seed = client;
    return std::async(std::launch::async,
                      [this, client, task] { return generate(*clients_[client], task, events_[client]); });
  }
  // A slow one that the engine is at work on.
  std::future<ImageResult> begin_slow(std::size_t client) {
    auto heard = std::make_shared<std::promise<void>>();
    events_[client].progress = [heard, first = true](const ProgressEvent&) mutable {
      if (first) heard->set_value();
      first = false;
    };
    auto call = begin(client, "slow", 1000);
    heard->get_future().wait_for(std::chrono::seconds(20));
    return call;
  }
  std::vector<std::future<ImageResult>> begin_all(const std::string& prompt, std::uint32_t steps = 2) {
    std::vector<std::future<ImageResult>> calls;
    for (std::size_t i = 0; i < kCalls; ++i)
      calls.push_back(begin(i, prompt, steps));
    return calls;
  }
  // What an operation answers that takes and gives a text.
  std::string ask(std::size_t client, const std::string& operation, const std::string& request,
                  std::function<void(Message&, bool)> event = {}) {
    std::string text;
    clients_[client]->call({.operation = operation,
                            .request = {request},
                            .maximum_event = std::uint64_t{64} << 10,
                            .answer = [&](Message& answer) { text = answer.json; },
                            .event = std::move(event)});
    return text;
  }

  OpenResult opened_;
  std::vector<std::unique_ptr<EngineClient>> clients_;
  std::array<CallEvents, kCalls> events_;
};

// ---- a worker that misbehaves ----

TEST_F(ConcurrentCallsTest, ACrashFailsAllCallsOfTheWorkerAndNoOther) {
  open();
  for (auto& call : begin_all("together, then die"))
    expect_error(RH_ENGINE_CRASHED, "engine 'chorus' died of signal 9 (SIGKILL) in generate",
                 [&] { call.get(); });
  for (const auto& client : clients_)
    EXPECT_FALSE(client->alive());
  expect_works();
}

TEST_F(ConcurrentCallsTest, AKillFromOutsideFailsAllCalls) {
  open();
  auto calls = begin_all("slow", 1000);
  std::this_thread::sleep_for(milliseconds(100));
  clients_[3]->kill();
  for (auto& call : calls)
    expect_error(RH_ENGINE_CRASHED, "signal 9", [&] { call.get(); });
}

TEST_F(ConcurrentCallsTest, AFailureIsOfItsOwnCallAlone) {
  open();
  auto bad = begin(0, "fail");
  auto good = begin(1, "slow", 20);
  expect_error(RH_PIPELINE_ERROR, "as asked", [&] { bad.get(); });
  EXPECT_EQ(good.get().image.width, 32U);
}

TEST_F(ConcurrentCallsTest, TheSilenceOfOneCallEndsTheWorkerWhichTheOthersAreTold) {
  options_.timeouts.step = milliseconds(500);
  open();
  auto works = begin_slow(1);
  auto hangs = begin(0, "hang");
  expect_error(RH_TIMEOUT, "showed no progress for 0.5 s in generate", [&] { hangs.get(); });
  expect_error(RH_ENGINE_CRASHED,
               "engine 'chorus' was killed in generate: another of its calls showed no progress for 0.5 s",
               [&] { works.get(); });
}

TEST_F(ConcurrentCallsTest, AFrameThatBelongsToNoCallCostsThatWorkerAlone) {
  open();
  auto works = begin_slow(1);
  try {
    ask(0, "stray", "0");
  } catch (const Error&) {  // where the frame overtakes the answer
  }
  expect_error(RH_ENGINE_BROKEN, "its worker sent a message that answers no question", [&] { works.get(); });
  EXPECT_FALSE(clients_[0]->alive());
  expect_works();
}

TEST_F(ConcurrentCallsTest, AFrameThatComesWhileTheWorkerIsIdleIsNoticedAtOnce) {
  open();
  ask(0, "stray", "300");  // milliseconds: long after its answer
  EXPECT_TRUE(eventually([&] { return !clients_[1]->alive(); }));
  expect_error(RH_ENGINE_BROKEN, "answers no question", [&] { generate(*clients_[2], job_of("an image")); });
  expect_error(RH_ENGINE_CRASHED, "has ended after a failure",
               [&] { generate(*clients_[2], job_of("an image")); });
}

TEST_F(ConcurrentCallsTest, MoreCallsThanTheModelTakesAreRefused) {
  open(2);
  auto first = begin(0, "slow", 30), second = begin(1, "slow", 30);
  std::this_thread::sleep_for(milliseconds(100));
  expect_error(RH_INTERNAL, "no more calls at once than its model",
               [&] { generate(*clients_[2], job_of("x")); });
  EXPECT_EQ(first.get().image.width + second.get().image.width, 64U);
}

TEST_F(ConcurrentCallsTest, AnUnknownOperationFailsItsOwnCallAlone) {
  open();
  expect_error(RH_INTERNAL, "the worker has no operation 'sing'", [&] { ask(0, "sing", ""); });
  EXPECT_EQ(generate(*clients_[0], job_of("an image")).image.width, 32U);
}

TEST_F(ConcurrentCallsTest, ARequestThatIsTooLargeIsRefusedBeforeItIsSent) {
  open();
  expect_error(RH_INVALID_ARGUMENT, "bytes of text",
               [&] { ask(0, "echo", std::string((4 << 20) + 1, 'x')); });
  EXPECT_TRUE(clients_[0]->alive());
}

// ---- company ----

TEST_F(ConcurrentCallsTest, AsManyCallsAsTheModelTakesAreInsideTheEngineAtOnce) {
  open();
  EXPECT_EQ(opened_.capacity, kCalls);
  for (int round = 0; round < 5; ++round) {
    auto calls = begin_all("together");
    for (std::size_t i = 0; i < kCalls; ++i)
      EXPECT_THAT(calls[i].get().image.rgb, Each(i)) << "each gets its own image";
  }
  EXPECT_EQ(workers_of(getpid()).size(), 1U);
}

TEST_F(ConcurrentCallsTest, AModelThatTakesOneCallSeesOneThread) {
  open(1);
  EXPECT_EQ(opened_.capacity, 1U);
  std::set<std::vector<std::uint8_t>> threads;
  for (std::size_t i = 0; i < kCalls; ++i) {
    const std::vector<std::uint8_t> rgb = begin(i, "which thread").get().image.rgb;
    threads.insert({rgb.begin(), rgb.begin() + 3});
  }
  EXPECT_EQ(threads.size(), 1U);
}

TEST_F(ConcurrentCallsTest, AnEngineThatDoesNotSayTakesOneCall) {
  EXPECT_EQ(make(puppet_manifest())->open({}).capacity, 1U);
}

TEST_F(ConcurrentCallsTest, AModelCanBeOpenedAgainWithAnotherCapacity) {
  open(1);
  EXPECT_EQ(clients_[0]->open({"", "", 0, {{"calls", std::int64_t{4}}}}).capacity, 4U);
  for (auto& call : begin_all("together"))
    EXPECT_EQ(call.get().image.width, 32U);
}

TEST_F(ConcurrentCallsTest, BytesTravelBothWays) {
  open();
  std::vector<std::uint8_t> sent(std::size_t{3} << 20);
  for (std::size_t i = 0; i < sent.size(); ++i)
    sent[i] = static_cast<std::uint8_t>(i * 31);
  Message event, answer;
  clients_[0]->call({.operation = "echo",
                     .request = {"a text", sent},
                     .maximum_answer = sent.size(),
                     .maximum_event = sent.size(),
                     .answer = [&](Message& message) { answer = std::move(message); },
                     .event = [&](Message& message, bool) { event = std::move(message); }});
  EXPECT_EQ(event.json, "an event of its own");
  EXPECT_EQ(event.payload, sent);
  EXPECT_EQ(answer.json, "a text");
  EXPECT_EQ(answer.payload, sent);
}

TEST_F(ConcurrentCallsTest, TheInProcessClientTakesSeveralCallsToo) {
  clients_.push_back(make_in_process_client(chorus_manifest(), options_));
  clients_[0]->open({});
  while (clients_.size() < kCalls)
    clients_.push_back(clients_[0]->beside());
  auto calls = begin_all("together");
  for (std::size_t i = 0; i < kCalls; ++i)
    EXPECT_THAT(calls[i].get().image.rgb, Each(i));
}

// ---- cancelling ----

TEST_F(ConcurrentCallsTest, ACancelStopsItsOwnCallAlone) {
  open();
  events_[1].progress = [this](const ProgressEvent& event) {
    if (event.step == 3) clients_[1]->cancel();
  };
  auto calls = begin_all("slow", 50);
  expect_error(RH_CANCELLED, "cancelled during denoise, after step", [&] { calls[1].get(); });
  for (const std::size_t i : {0U, 2U, 3U}) {
    const ImageResult result = calls[i].get();
    EXPECT_THAT(result.image.rgb, Each(i));
    EXPECT_EQ(result.step_milliseconds.size(), 50U);
  }
  EXPECT_EQ(generate(*clients_[1], job_of("an image")).image.width, 32U) << "and its client goes on";
}

TEST_F(ConcurrentCallsTest, CancelsAtRandomMomentsLeaveTheOthersAlone) {
  open();
  std::vector<std::future<void>> guests;
  for (std::size_t i = 0; i < kCalls; ++i) {
    guests.push_back(std::async(std::launch::async, [this, i] {
      for (int round = 0; round < 25; ++round) {
        const bool cancels = (round + static_cast<int>(i)) % 2 == 0;
        auto call = begin(i, "slow", cancels ? 1000 : 5);
        if (!cancels) {
          EXPECT_THAT(call.get().image.rgb, Each(i));
          continue;
        }
        while (call.wait_for(milliseconds(1 + round)) != std::future_status::ready)
          clients_[i]->cancel();
        expect_error(RH_CANCELLED, "chorus", [&] { call.get(); });
      }
    }));
  }
  for (auto& guest : guests)
    guest.get();
}

// ---- callers who are slow ----

constexpr const char* kFlood = "400";  // events: 25 MiB

TEST_F(ConcurrentCallsTest, ASlowCallerSlowsItsOwnCallAlone) {
  open();
  std::promise<void> go_on;
  const std::shared_future<void> gate = go_on.get_future().share();
  std::atomic<int> heard{0}, last{-1};
  auto slow = std::async(std::launch::async, [&] {
    return ask(0, "flood", kFlood, [&](Message& event, bool) {
      EXPECT_EQ(std::stoi(event.json), last + 1) << "in order, none missing";
      last = std::stoi(event.json);
      if (heard++ == 0) gate.wait();
    });
  });
  ASSERT_TRUE(eventually([&] { return heard == 1; }));
  int sent = 0, before = -1;
  for (; sent != before; std::this_thread::sleep_for(milliseconds(100)))
    before = std::exchange(sent, std::stoi(ask(1, "flooded", "")));
  EXPECT_LE(sent, 17) << "one mebibyte and an event";
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(generate(*clients_[2], job_of("an image")).image.width, 32U);
  std::atomic<int> quick{0};
  EXPECT_EQ(ask(3, "flood", "100", [&](Message&, bool) { ++quick; }), "done");
  EXPECT_EQ(quick, 100);
  EXPECT_EQ(heard, 1);
  go_on.set_value();
  EXPECT_EQ(slow.get(), "done");
  EXPECT_EQ(heard, 400);
}

TEST_F(ConcurrentCallsTest, ACallerWhoKeepsTheWorkerWaitingIsNoHang) {
  options_.timeouts.step = milliseconds(200);
  open();
  int heard = 0;
  EXPECT_EQ(ask(0, "flood", "40",
                [&](Message&, bool) {
                  if (heard++ % 20 == 0) std::this_thread::sleep_for(milliseconds(500));
                }),
            "done");
  EXPECT_EQ(heard, 40);
}

TEST_F(ConcurrentCallsTest, ACancelEndsACallThatWaitsForItsCaller) {
  open();
  int heard = 0;
  const auto begin = std::chrono::steady_clock::now();
  expect_error(RH_CANCELLED, "chorus", [&] {
    ask(0, "flood", kFlood, [&](Message&, bool stopping) {
      if (!stopping && heard++ == 0) {
        std::this_thread::sleep_for(milliseconds(100));
        clients_[0]->cancel();
      }
    });
  });
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(3));
  EXPECT_EQ(generate(*clients_[0], job_of("an image")).image.width, 32U);
}

TEST_F(ConcurrentCallsTest, WhatACallerThrowsEndsItsOwnCallAlone) {
  open();
  auto works = begin(1, "slow", 30);
  EXPECT_THROW(ask(0, "flood", kFlood, [](Message&, bool) { throw std::logic_error("mine"); }),
               std::logic_error);
  EXPECT_EQ(works.get().image.width, 32U);
}

}  // namespace
}  // namespace roundhouse::host
