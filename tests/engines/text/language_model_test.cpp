// SPDX-License-Identifier: Apache-2.0
// Decoders of every family against what transformers computed (tests/fixtures/*-lm).
#include <gmock/gmock.h>

#include <algorithm>

#include "engines/text/open_language_model.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/reference_case.h"
#include "tests/engines/text/read_text.h"

namespace engines::test {
namespace {

struct LanguageCase {
  const char* fixture;
  KernelsChoice kernels;
};

std::string name_of_case(const testing::TestParamInfo<LanguageCase>& info) {
  std::string name = std::string(info.param.fixture) + "_" + info.param.kernels.name;
  std::ranges::replace(name, '-', '_');
  return name;
}

void PrintTo(const LanguageCase& param, std::ostream* out) {
  *out << param.fixture << " " << param.kernels.name;
}

std::vector<LanguageCase> all_cases() {
  std::vector<LanguageCase> cases;
  for (const char* const fixture : {"qwen3-tiny-lm", "qwen2-tiny-lm", "llama-tiny-lm"})
    for (const KernelsChoice& kernels : all_kernels())
      cases.push_back({fixture, kernels});
  return cases;
}

class LanguageModelTest : public testing::TestWithParam<LanguageCase> {
 protected:
  const ReferenceCase reference{GetParam().fixture};
  const ExpectedGroup expected{reference, "lm"};
  std::unique_ptr<Kernels> kernels = GetParam().kernels.make();
  const std::unique_ptr<LanguageModel> model =
      open_language_model(reference.folder(), *kernels, {.cache = Dtype::f32});

  Ids ids(const std::string& name) const { return ids_of(expected.get(name)); }
  testing::AssertionResult is_close(const std::string& name, const Logits& logits) const {
    return close_to(expected.get(name), logits.values.data(), logits.values.size());
  }
};

TEST_P(LanguageModelTest, LogitsAreThoseOfTheReferenceHoweverThePromptIsCut) {
  for (const std::int64_t piece : {1, 3, 8, 9, 512}) {
    const auto state = model->make_state();
    EXPECT_TRUE(is_close("p1.last_logits", read_text(*model, *state, ids("p1.input_ids"), piece)))
        << "pieces of " << piece;
    EXPECT_EQ(state->size(), static_cast<std::int64_t>(ids("p1.input_ids").size()));
  }
}

TEST_P(LanguageModelTest, EveryPositionMayBeAskedFor) {
  const Ids prompt = ids("p0.input_ids");
  const auto state = model->make_state();
  EXPECT_TRUE(is_close("p0.logits", forward(*model, {{state.get(), prompt, std::ssize(prompt)}})));
}

TEST_P(LanguageModelTest, TheGreedyContinuationIsThatOfTheReference) {
  for (const std::string prompt : {"p0", "p1"}) {
    const Ids greedy = ids(prompt + ".greedy");
    const auto state = model->make_state();
    Logits logits = read_text(*model, *state, ids(prompt + ".input_ids"), 512);
    Ids made;
    while (made.size() < greedy.size()) {
      made.push_back(logits.choice());
      logits = read_text(*model, *state, {made.back()}, 1);
    }
    EXPECT_EQ(made, greedy) << prompt;
  }
}

INSTANTIATE_TEST_SUITE_P(All, LanguageModelTest, testing::ValuesIn(all_cases()), name_of_case);

}  // namespace
}  // namespace engines::test
