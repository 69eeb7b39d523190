// SPDX-License-Identifier: Apache-2.0
// A text's logits are the same bits whatever texts are beside it: every type of weights, every engine.
#include <gmock/gmock.h>

#include <cstring>

#include "engines/kernels/onednn/onednn_kernels.h"
#include "engines/text/open_language_model.h"
#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/reference_case.h"
#include "tests/engines/text/read_text.h"
#include "tests/engines/text/tiny_decoder.h"

namespace engines::test {
namespace {

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

struct BatchCase {
  Dtype weights;
  KernelsChoice kernels;
};

std::vector<BatchCase> batch_cases() {
  std::vector<BatchCase> cases;
  std::vector<KernelsChoice> choices = all_kernels();
  choices.push_back({"onednn_best", true, [] { return make_onednn_kernels(2, best_onednn_products()); }});
  for (std::size_t i = 0; i < kDtypes; ++i) {
    const auto type = static_cast<Dtype>(i);
    for (const KernelsChoice& kernels : choices)
      if (kernels.fast || type == Dtype::bf16 || type == Dtype::q8_0) cases.push_back({type, kernels});
  }
  return cases;
}

std::string name_of_batch(const testing::TestParamInfo<BatchCase>& info) {
  return std::string(name_of(info.param.weights)) + "_" + info.param.kernels.name;
}

void PrintTo(const BatchCase& param, std::ostream* out) {
  *out << name_of(param.weights) << " " << param.kernels.name;
}

class BatchedTexts : public testing::TestWithParam<BatchCase> {
 protected:
  const TinyDecoder tiny{GetParam().weights};
  std::unique_ptr<Kernels> kernels = GetParam().kernels.make();
  const std::unique_ptr<LanguageModel> model = open_language_model(tiny.folder(), *kernels);
  const Ids prompt = tiny.text(37, 1);

  std::unique_ptr<TextState> read(const Ids& ids) const {
    auto state = model->make_state();
    read_text(*model, *state, ids, 512);
    return state;
  }
};

TEST_P(BatchedTexts, AreTheSameBitsAloneAndBesideOthers) {
  const auto base = read(prompt);
  const Ids next = tiny.text(3, 2);
  const auto alone = base->fork(base->size());
  const Logits expected = forward(*model, {{alone.get(), next, 3}});
  const Ids longer = tiny.text(20, 9);
  for (const std::int64_t others : {1, 2, 5, 7}) {
    std::vector<std::unique_ptr<TextState>> states;
    std::vector<Ids> ids;
    for (std::int64_t i = 0; i < others; ++i) {
      states.push_back(read(tiny.text(3 + 11 * i, static_cast<std::uint32_t>(10 + i))));
      ids.push_back(tiny.text(1 + i, static_cast<std::uint32_t>(20 + i)));
    }
    const auto mine = base->fork(base->size());
    const auto beside = model->make_state();
    std::vector<TextRows> texts{
        {states[0].get(), ids[0], 1}, {beside.get(), longer, 1}, {mine.get(), next, 3}};
    for (std::size_t i = 1; i < states.size(); ++i)
      texts.push_back({states[i].get(), ids[i], 1});
    const Logits got = forward(*model, texts);
    for (std::int64_t r = 0; r < 3; ++r)
      EXPECT_TRUE(same_bits(got.row(2 + r), expected.row(r))) << others << " others, row " << r;
  }
}

// So that tokens that were guessed may be checked together.
TEST_P(BatchedTexts, FewTokensAtOnceAreTheSameBitsAsOneByOne) {
  const auto together = read(prompt);
  const auto single = together->fork(together->size());
  const Ids next = tiny.text(LanguageModel::kFewRows, 3);
  const Logits all = forward(*model, {{together.get(), next, LanguageModel::kFewRows}});
  for (std::int64_t i = 0; i < LanguageModel::kFewRows; ++i) {
    const Logits one =
        forward(*model, {{single.get(), std::span(next).subspan(static_cast<std::size_t>(i), 1), 1}});
    EXPECT_TRUE(same_bits(all.row(i), one.values)) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(All, BatchedTexts, testing::ValuesIn(batch_cases()), name_of_batch);

class TextStates : public testing::Test {
 protected:
  const TinyDecoder tiny{Dtype::bf16};
  std::unique_ptr<Kernels> kernels = make_reference_kernels();
  const std::unique_ptr<LanguageModel> model = open_language_model(tiny.folder(), *kernels);
  const Ids prompt = tiny.text(70, 1);
};

TEST_F(TextStates, AForkSharesPagesAndWritesToItsOwn) {
  const auto first = model->make_state();
  read_text(*model, *first, prompt, 512);
  EXPECT_EQ(model->held_bytes(), model->state_bytes(70));
  const auto second = first->fork(40);
  EXPECT_EQ(second->size(), 40);
  EXPECT_EQ(model->held_bytes(), model->state_bytes(70)) << "nothing is copied yet";

  const auto fresh = model->make_state();
  const Ids beginning(prompt.begin(), prompt.begin() + 40);
  read_text(*model, *fresh, beginning, 512);
  const Ids other = tiny.text(8, 5);
  const Ids rest(prompt.end() - 2, prompt.end());
  const Logits expected = read_text(*model, *fresh, other, 8);
  EXPECT_TRUE(same_bits(read_text(*model, *second, other, 8).values, expected.values));

  const auto before = first->fork(68);
  const Logits again = read_text(*model, *before, rest, 1);
  first->truncate(68);
  EXPECT_TRUE(same_bits(read_text(*model, *first, rest, 1).values, again.values))
      << "what was shared is as it was";
}

TEST_F(TextStates, MemoryComesBack) {
  {
    const auto state = model->make_state();
    read_text(*model, *state, prompt, 512);
    EXPECT_GT(model->held_bytes(), 0U);
  }
  EXPECT_EQ(model->held_bytes(), 0U);
}

TEST_F(TextStates, AFullCacheIsRefusedBeforeAnythingIsComputed) {
  const auto small = open_language_model(tiny.folder(), *kernels, {.cache_limit = model->state_bytes(64)});
  const auto state = small->make_state();
  read_text(*small, *state, Ids(prompt.begin(), prompt.begin() + 60), 512);
  EXPECT_TRUE(
      throws_error(RH_OUT_OF_MEMORY, "cache", [&] { read_text(*small, *state, tiny.text(5, 2), 5); }));
  EXPECT_EQ(state->size(), 60);
  read_text(*small, *state, tiny.text(4, 2), 4);
}

TEST_F(TextStates, ACancelledPassLeavesThemAsTheyWere) {
  struct CancelledRun : QuietRun {
    bool cancelled() override { return ++asked == 2; }
    int asked = 0;
  } cancelled;
  const auto state = model->make_state();
  const auto other = model->make_state();
  std::vector<float> logits(static_cast<std::size_t>(2 * model->vocab_size()));
  const Ids one{1};
  const std::vector<TextRows> texts{{state.get(), prompt, 1}, {other.get(), one, 1}};
  EXPECT_TRUE(throws_error(RH_CANCELLED, "cancelled", [&] {
    model->forward(texts, {logits.data(), 2, model->vocab_size()}, cancelled);
  }));
  EXPECT_EQ(state->size(), 0);
  EXPECT_EQ(other->size(), 0);
}

TEST_F(TextStates, AnIdOutsideTheEmbeddingAndATextThatIsTwiceAreRefused) {
  const auto state = model->make_state();
  const Ids wrong{3, static_cast<std::int32_t>(model->vocab_size())};
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "token id", [&] {
    forward(*model, {{state.get(), wrong, 1}});
  }));
  const Ids one{1};
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "twice", [&] {
    forward(*model, {{state.get(), one, 1}, {state.get(), one, 1}});
  }));
}

}  // namespace
}  // namespace engines::test
