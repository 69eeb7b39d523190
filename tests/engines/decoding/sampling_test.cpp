// SPDX-License-Identifier: Apache-2.0
#include "engines/decoding/sampling.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>
#include <set>

#include "engines/decoding/penalties.h"
#include "engines/decoding/stop_text.h"
#include "engines/decoding/token_random.h"
#include "engines/decoding/truncation.h"
#include "engines/tensor/error.h"

namespace engines::test {
namespace {

using decoding::Candidates;
using decoding::Choice;
using decoding::SamplingOptions;
using decoding::StopText;
using decoding::TokenSampler;
using Logits = std::vector<float>;

// Logits of which the probabilities are these.
Logits logs(const std::vector<double>& chances) {
  Logits logits;
  for (const double chance : chances)
    logits.push_back(static_cast<float>(std::log(chance)));
  return logits;
}

std::set<std::int32_t> reachable(const Candidates& candidates) {
  std::set<std::int32_t> ids;
  for (int i = 0; i < 1000; ++i)
    ids.insert(candidates.id(candidates.pick(i / 1000.0)));
  return ids;
}

TEST(Sampling, GreedyTakesTheLowestOfEquals) {
  Logits logits{1, 3, 3, 2};
  EXPECT_EQ(TokenSampler({}, 4).choose(logits, {}, nullptr, {}).id, 1);
}

TEST(Sampling, CutsAsTheFormulasSay) {
  const Logits logits = logs({0.1, 0.4, 0.05, 0.3, 0.15});
  const auto kept = [&](auto cut) {
    Candidates candidates(logits);
    cut(candidates);
    return reachable(candidates);
  };
  using testing::ElementsAre;
  EXPECT_THAT(kept([](Candidates& c) { c.keep_top_k(2); }), ElementsAre(1, 3));
  EXPECT_THAT(kept([](Candidates& c) { c.keep_top_p(0.75); }), ElementsAre(1, 3, 4));
  EXPECT_THAT(kept([](Candidates& c) { c.keep_top_p(0.0); }), ElementsAre(1));
  EXPECT_THAT(kept([](Candidates& c) { c.keep_min_p(0.3); }), ElementsAre(1, 3, 4));
  EXPECT_THAT(kept([](Candidates& c) { c.keep_min_p(1); }), ElementsAre(1));
  // The entropy is 1.39: 0.3 (1.20) is nearest, then 0.15 (1.90), then 0.4 (0.92).
  EXPECT_THAT(kept([](Candidates& c) { c.keep_typical(0.4); }), ElementsAre(1, 3));
  EXPECT_THAT(kept([](Candidates& c) { c.keep_typical(0.75); }), ElementsAre(1, 3, 4));
  // Bits: 1.32, 1.74, 2.74, ...
  EXPECT_THAT(kept([](Candidates& c) { c.keep_surprise(2); }), ElementsAre(1, 3));
  EXPECT_THAT(kept([](Candidates& c) { c.keep_surprise(0); }), ElementsAre(1));
}

TEST(Sampling, DrawsByProbabilityAndSeed) {
  SamplingOptions options;
  options.temperature = 1;
  const std::vector<double> chances{0.5, 0.3, 0.2};
  std::map<std::int32_t, int> counts;
  std::vector<std::int32_t> first, second;
  for (auto* out : {&first, &second}) {
    TokenSampler sampler(options, 3);
    for (int i = 0; i < 2000; ++i) {
      Logits logits = logs(chances);
      out->push_back(sampler.choose(logits, {}, nullptr, {}).id);
      ++counts[out->back()];
    }
  }
  EXPECT_EQ(first, second);
  for (std::int32_t id = 0; id < 3; ++id)
    EXPECT_NEAR(counts[id] / 4000.0, chances[static_cast<std::size_t>(id)], 0.05);
  options.seed = 1;
  TokenSampler other(options, 3);
  std::vector<std::int32_t> third;
  for (int i = 0; i < 2000; ++i) {
    Logits logits = logs(chances);
    third.push_back(other.choose(logits, {}, nullptr, {}).id);
  }
  EXPECT_NE(first, third);
}

// Published values of SplitMix64 from seed 1234567: the same on every machine.
TEST(Sampling, RandomNumbersAreThoseOfSplitMix64) {
  EXPECT_EQ(decoding::random_bits(1234567, 0), 6457827717110365317U);
  EXPECT_EQ(decoding::random_bits(1234567, 1), 3203168211198807973U);
}

TEST(Sampling, PenalisesWhatIsThere) {
  SamplingOptions options;
  options.repetition_penalty = 2;
  options.presence_penalty = 1;
  options.frequency_penalty = 0.5;
  options.repeat_last_n = 3;
  Logits logits{4, -4, 4, 4};
  decoding::penalise(logits, std::vector<std::int32_t>{2, 0, 1, 0}, options);
  EXPECT_THAT(logits, testing::ElementsAre(0, -9.5F, 4, 4));
}

TEST(Sampling, DryPenalisesWhatGoesOnWithARepetition) {
  SamplingOptions options;
  options.dry_multiplier = 1;
  options.dry_base = 2;
  options.dry_allowed_length = 2;
  options.repeat_last_n = 100;
  Logits logits(8, 0);
  // "1 2 3" came before, followed by 4; "2 3" before that, followed by 5.
  decoding::penalise(logits, std::vector<std::int32_t>{2, 3, 5, 1, 2, 3, 4, 1, 2, 3}, options);
  EXPECT_THAT(logits, testing::ElementsAre(0, 0, 0, 0, -2, -1, 0, 0));
}

TEST(Sampling, MeasuresBeforeTheMaskAndTheTemperature) {
  SamplingOptions options;
  options.temperature = 5;
  decoding::TokenMask mask{0b100};
  Logits logits = logs({0.5, 0.3, 0.2});
  const Choice choice = TokenSampler(options, 3).choose(logits, {}, &mask, {true, 2});
  EXPECT_EQ(choice.id, 2);
  EXPECT_NEAR(choice.logprob, std::log(0.2), 1e-5);
  ASSERT_EQ(choice.top.size(), 2U);
  EXPECT_EQ(choice.top[0].id, 0);
  EXPECT_NEAR(choice.top[1].logprob, std::log(0.3), 1e-5);
}

TEST(Sampling, MirostatHoldsTheSurprise) {
  SamplingOptions options;
  options.temperature = 1;
  options.mirostat_tau = 2;
  options.mirostat_eta = 0.1;
  TokenSampler sampler(options, 256);
  double bits = 0;
  constexpr int tokens = 2000;
  for (int i = 0; i < tokens; ++i) {
    Logits logits;
    for (int t = 0; t < 256; ++t)
      logits.push_back(static_cast<float>(-1.1 * std::log(t + 1.0)));
    const Choice choice = sampler.choose(logits, {}, nullptr, {true, 0});
    bits -= choice.logprob / std::log(2.0);
  }
  EXPECT_NEAR(bits / tokens, 2, 0.3);
}

rh_status sampling_code(SamplingOptions options, Logits logits) {
  try {
    TokenSampler(std::move(options), std::ssize(logits)).choose(logits, {}, nullptr, {});
    return RH_OK;
  } catch (const Error& error) {
    return error.code();
  }
}

TEST(Sampling, SaysWhatCannotBeChosenFrom) {
  EXPECT_EQ(sampling_code({}, {0, NAN}), RH_PIPELINE_ERROR);
  EXPECT_EQ(sampling_code({}, {0, INFINITY}), RH_PIPELINE_ERROR);
  EXPECT_EQ(sampling_code({}, {-INFINITY, -INFINITY}), RH_INVALID_ARGUMENT);
  SamplingOptions options;
  options.biases = {{2, 1}};
  EXPECT_EQ(sampling_code(options, {0, 0}), RH_INVALID_ARGUMENT);
  options.biases = {{1, -INFINITY}};
  EXPECT_EQ(sampling_code(options, {-100, 0}), RH_OK);
}

// All ways to cut a text into two or three pieces send the same.
TEST(StopText, SendsTheSameHoweverTheTextIsCut) {
  const std::string text = "one and two, END of three";
  const std::vector<std::string> stops{"END of", "ND", "two"};
  for (std::size_t a = 0; a <= text.size(); ++a) {
    for (std::size_t b = a; b <= text.size(); ++b) {
      StopText stop(stops);
      std::string sent = stop.push(text.substr(0, a));
      sent += stop.push(text.substr(a, b - a));
      sent += stop.push(text.substr(b));
      EXPECT_EQ(sent + stop.finish(), "one and ");
      EXPECT_EQ(stop.found(), 2U);
    }
  }
}

TEST(StopText, HoldsBackOnlyWhatMayBecomeOne) {
  StopText stop({"\n\n", "stop"});
  EXPECT_EQ(stop.push("a\n"), "a");
  EXPECT_TRUE(stop.holds());
  EXPECT_EQ(stop.push("b sto"), "\nb ");
  EXPECT_EQ(stop.push("red"), "stored");
  EXPECT_EQ(stop.push(" st"), " ");
  EXPECT_EQ(stop.finish(), "st");
  EXPECT_FALSE(stop.found());
}

}  // namespace
}  // namespace engines::test
