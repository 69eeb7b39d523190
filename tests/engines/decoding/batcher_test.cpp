// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/batcher.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "engines/decoding/sampling.h"
#include "tests/engines/decoding/fake_model.h"

namespace engines::test {
namespace {

using decoding::Batcher;
using decoding::BatchInput;
using decoding::BatchReport;
using decoding::BatchSettings;
using Ids = std::vector<std::int32_t>;

Ids text(std::uint64_t seed, std::size_t length) {
  Ids ids;
  for (std::size_t i = 0; i < length; ++i)
    ids.push_back(static_cast<std::int32_t>(decoding::random_bits(seed, i) % 30));
  return ids;
}

// Chooses so many tokens.
class Chooser : public decoding::TextReader {
 public:
  Chooser(std::int64_t count, double temperature, std::uint64_t seed)
      : count_(count), sampler_(options(temperature, seed), 32) {}
  bool cancelled() override { return stop; }
  void read(std::int64_t done, std::int64_t all) override {
    EXPECT_GT(done, told);
    EXPECT_LE(done, all);
    EXPECT_TRUE(answer.empty());
    told = done;
  }
  Token next(std::span<float> logits) override {
    const auto choice = sampler_.choose(logits, {}, nullptr, {});
    answer.push_back(choice.id);
    if (std::ssize(answer) == stop_after) stop = true;
    return {choice.id, std::ssize(answer) == count_};
  }
  void deliver() override { ++delivered; }

  std::atomic<bool> stop = false;
  std::int64_t stop_after = -1, told = 0, delivered = 0;
  Ids answer;

 private:
  static decoding::SamplingOptions options(double temperature, std::uint64_t seed) {
    decoding::SamplingOptions options;
    options.temperature = temperature;
    options.seed = seed;
    return options;
  }
  std::int64_t count_;
  decoding::TokenSampler sampler_;
};

BatchInput input_of(const Ids& prompt, std::int64_t window = 4096) {
  BatchInput input;
  input.prompt = prompt;
  input.window = window;
  return input;
}

Ids answer_of(Batcher& batcher, const Ids& prompt, std::int64_t count, double temperature = 0,
              std::uint64_t seed = 0, BatchReport* report = nullptr) {
  Chooser chooser(count, temperature, seed);
  const BatchReport made = batcher.run(input_of(prompt), chooser);
  if (report != nullptr) *report = made;
  return chooser.answer;
}

Ids alone(const Ids& prompt, std::int64_t count, double temperature = 0, std::uint64_t seed = 0) {
  FakeModel model;
  BatchSettings settings;
  settings.lookup = false;
  Batcher batcher(model, settings);
  return answer_of(batcher, prompt, count, temperature, seed);
}

// The promise: the same request, the same text.
void expect_same_beside_others(const BatchSettings& settings, std::size_t length) {
  constexpr std::size_t texts = 8;
  std::vector<Ids> prompts, expected;
  for (std::size_t i = 0; i < texts; ++i) {
    prompts.push_back(text(i % 3, length * (1 + i % 4) + 7 * i));  // some begin as others do
    expected.push_back(alone(prompts[i], 40, i % 2 == 0 ? 0.0 : 0.8, i));
  }
  FakeModel model;
  Batcher batcher(model, settings);
  for (int round = 0; round < 4; ++round) {
    std::vector<Ids> got(texts);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < texts; ++i)
      threads.emplace_back(
          [&, i] { got[i] = answer_of(batcher, prompts[i], 40, i % 2 == 0 ? 0.0 : 0.8, i); });
    for (auto& thread : threads)
      thread.join();
    EXPECT_EQ(got, expected) << "round " << round;
  }
}

TEST(Batcher, TheSameRequestGivesTheSameTextBesideOthers) {
  expect_same_beside_others({}, 90);
}

TEST(Batcher, AlsoWhereMemoryIsShortAndTextsAreReadAgain) {
  BatchSettings settings;
  settings.memory = 900;
  expect_same_beside_others(settings, 90);
}

TEST(Batcher, ReadsAPromptInPiecesCountedFromItsBeginning) {
  FakeModel model;
  std::vector<std::size_t> pieces;
  model.before = [&](std::span<const TextRows> texts) { pieces.push_back(texts[0].ids.size()); };
  Batcher batcher(model, {});
  Chooser chooser(1, 0, 0);
  batcher.run(input_of(text(1, 150)), chooser);
  EXPECT_THAT(pieces, testing::ElementsAre(64, 64, 22));
  EXPECT_EQ(chooser.told, 150);
}

TEST(Batcher, ReusesWhatTwoPromptsBeginWith) {
  FakeModel model;
  Batcher batcher(model, {});
  const Ids common = text(5, 200);
  Ids longer = common;
  longer.insert(longer.end(), {1, 2, 3});
  BatchReport report;
  answer_of(batcher, common, 10, 0, 0, &report);
  EXPECT_EQ(report.cached, 0);
  EXPECT_EQ(answer_of(batcher, longer, 10, 0, 0, &report), alone(longer, 10));
  EXPECT_EQ(report.cached, 192);
  EXPECT_EQ(answer_of(batcher, common, 10, 0, 0, &report), alone(common, 10));
  EXPECT_EQ(report.cached, 192);
}

TEST(Batcher, GuessesChangeNothingButTheNumberOfPasses) {
  for (const double temperature : {0.0, 0.7}) {
    std::vector<Ids> answers;
    std::vector<std::int64_t> passes;
    for (const bool lookup : {false, true}) {
      FakeModel model;
      model.forgetful = true;
      BatchSettings settings;
      settings.lookup = lookup;
      Batcher batcher(model, settings);
      answers.push_back(answer_of(batcher, {1, 2, 3}, 200, temperature, 4));
      passes.push_back(model.passes);
    }
    EXPECT_EQ(answers[0], answers[1]);
    EXPECT_LE(passes[1], passes[0] - (temperature == 0 ? 50 : 0));
  }
}

TEST(Batcher, AnErrorCostsItsOwnTextAlone) {
  FakeModel model;
  model.before = [](std::span<const TextRows> texts) {
    for (const TextRows& rows : texts)
      for (const std::int32_t id : rows.ids)
        if (id == 31 && rows.ids.size() > 8) throw Error(RH_PIPELINE_ERROR, "thirty-one");
  };
  Batcher batcher(model, {});
  std::atomic<int> failed = 0, done = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&, i] {
      Ids prompt = text(7, 100);
      if (i % 2 == 0) prompt.push_back(31);
      Chooser chooser(20, 0, 0);
      try {
        decoding::TextReader& reader = chooser;
        batcher.run(input_of(prompt), reader);
        ++done;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), RH_PIPELINE_ERROR);
        ++failed;
      }
    });
  }
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(failed, 3);
}

rh_status code_of(Batcher& batcher, BatchInput input, Chooser& chooser) {
  try {
    batcher.run(std::move(input), chooser);
    return RH_OK;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Batcher, StopsWithinATokenWhenCancelled) {
  FakeModel model;
  Batcher batcher(model, {});
  Chooser chooser(1000, 0, 0);
  chooser.stop_after = 5;
  EXPECT_EQ(code_of(batcher, input_of(text(1, 10)), chooser), RH_CANCELLED);
  EXPECT_EQ(chooser.answer.size(), 5U);
  Chooser never(10, 0, 0);
  never.stop = true;
  EXPECT_EQ(code_of(batcher, input_of(text(1, 1000)), never), RH_CANCELLED);
  EXPECT_TRUE(never.answer.empty());
}

TEST(Batcher, EndsAtTheWindowOrGoesOn) {
  FakeModel model;
  Batcher batcher(model, {});
  Chooser ends(1000, 0, 0);
  const BatchReport report = batcher.run(input_of(text(1, 50), 60), ends);
  EXPECT_TRUE(report.full);
  EXPECT_EQ(ends.answer.size(), 10U);
  BatchInput shifts = input_of(text(1, 50), 60);
  shifts.shift = true;
  shifts.keep = 5;
  Chooser goes_on(200, 0, 0);
  EXPECT_FALSE(batcher.run(std::move(shifts), goes_on).full);
  EXPECT_EQ(goes_on.answer.size(), 200U);
  EXPECT_EQ(Ids(goes_on.answer.begin(), goes_on.answer.begin() + 10), ends.answer);
}

TEST(Batcher, RefusesWhatDoesNotFit) {
  FakeModel model;
  BatchSettings settings;
  settings.memory = 100;
  Batcher batcher(model, settings);
  Chooser chooser(10, 0, 0);
  EXPECT_EQ(code_of(batcher, input_of({}), chooser), RH_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(batcher, input_of(text(1, 60), 60), chooser), RH_INVALID_ARGUMENT);
  EXPECT_EQ(code_of(batcher, input_of({99}), chooser), RH_MODEL_INVALID);
  EXPECT_EQ(code_of(batcher, input_of(text(1, 300)), chooser), RH_OUT_OF_MEMORY);
  EXPECT_EQ(code_of(batcher, input_of(text(1, 30)), chooser), RH_OK);
}

TEST(Shifted, DropsTheOlderHalfBehindWhatIsKept) {
  EXPECT_THAT(decoding::shifted({0, 1, 2, 3, 4, 5, 6, 7}, 2), testing::ElementsAre(0, 1, 5, 6, 7));
  EXPECT_THAT(decoding::shifted({0, 1, 2}, 100), testing::ElementsAre(0, 1));
  EXPECT_THAT(decoding::shifted({0}, 0), testing::IsEmpty());
}

}  // namespace
}  // namespace engines::test
