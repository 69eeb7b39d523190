// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_model.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

using Ids = std::vector<std::int32_t>;

class Qwen3ModelTest : public testing::TestWithParam<KernelsChoice> {
 protected:
  const ReferenceCase reference{"qwen3-tiny-lm"};
  const ExpectedGroup expected{reference, "lm"};
  std::unique_ptr<Kernels> kernels = GetParam().make();
  const Qwen3Model model{reference.folder(), *kernels};
  QuietRun run;

  Ids ids(const std::string& name) const { return ids_of(expected.get(name)); }
  ConstRows rows(const FloatBuffer& hidden) const {
    const std::int64_t width = model.config().hidden_size;
    return {hidden.data(), static_cast<std::int64_t>(hidden.size()) / width, width};
  }
  FloatBuffer logits(const FloatBuffer& hidden) const {
    const ConstRows from = rows(hidden);
    FloatBuffer made(static_cast<std::size_t>(from.rows * model.config().vocab_size));
    model.logits({made.data(), from.rows, model.config().vocab_size}, from);
    return made;
  }
  // The most likely token behind the last row.
  std::int32_t choice(const FloatBuffer& hidden) const {
    const FloatBuffer all = logits(hidden);
    const float* const last = all.data() + all.size() - model.config().vocab_size;
    return static_cast<std::int32_t>(std::max_element(last, last + model.config().vocab_size) - last);
  }
};

TEST_P(Qwen3ModelTest, EveryStageIsThatOfTheReference) {
  KvCache cache = model.make_cache(6);
  std::size_t stages = 0;
  const auto tap = [&](const std::string& name, ConstRows x) {
    EXPECT_TRUE(close_to(expected.get("p0." + name), x));
    ++stages;
  };
  const FloatBuffer hidden = model.extend(ids("p0.input_ids"), cache, run, tap);
  EXPECT_EQ(stages, 4U);
  const FloatBuffer all = logits(hidden);
  EXPECT_TRUE(close_to(expected.get("p0.logits"), all.data(), all.size()));
}

// In pieces the same stages come out, with the same bits where sums are not cut by the number of keys.
TEST_P(Qwen3ModelTest, AnyChunksGiveWhatTheWholeGives) {
  const Ids prompt = ids("p0.input_ids");
  KvCache whole_cache = model.make_cache(6);
  const FloatBuffer whole = model.extend(prompt, whole_cache, run);
  for (const std::size_t chunk : {1U, 2U, 3U, 4U, 5U}) {
    KvCache cache = model.make_cache(6);
    for (std::size_t first = 0; first < prompt.size(); first += chunk) {
      const std::size_t count = std::min(chunk, prompt.size() - first);
      const auto begin = prompt.begin() + static_cast<std::ptrdiff_t>(first);
      const auto tap = [&](const std::string& name, ConstRows x) {
        Expected part = expected.get("p0." + name);
        const auto width = static_cast<std::ptrdiff_t>(part.shape.back());
        const auto at = part.values.begin() + static_cast<std::ptrdiff_t>(first) * width;
        part.values = {at, at + static_cast<std::ptrdiff_t>(count) * width};
        EXPECT_TRUE(close_to(part, x)) << "chunks of " << chunk << ", token " << first;
      };
      const FloatBuffer hidden =
          model.extend({begin, begin + static_cast<std::ptrdiff_t>(count)}, cache, run, tap);
      if (GetParam().name == std::string("reference")) {
        const float* const same = whole.data() + first * static_cast<std::size_t>(model.config().hidden_size);
        EXPECT_EQ(std::memcmp(hidden.data(), same, hidden.size() * sizeof(float)), 0);
      }
    }
    EXPECT_EQ(cache.size(), 6);
  }
}

TEST_P(Qwen3ModelTest, APromptInChunksEndsInTheReferencesLogits) {
  for (const std::string prompt : {"p0", "p1"}) {
    for (const std::int64_t chunk : {1, 5, 512}) {
      KvCache cache = model.make_cache(16);
      const FloatBuffer last = logits(model.read(ids(prompt + ".input_ids"), chunk, cache, run));
      EXPECT_TRUE(close_to(expected.get(prompt + ".last_logits"), last.data(), last.size())) << chunk;
    }
  }
}

TEST_P(Qwen3ModelTest, TheGreedyContinuationIsThatOfTheReference) {
  for (const std::string prompt : {"p0", "p1"}) {
    const Ids greedy = ids(prompt + ".greedy");
    KvCache cache = model.make_cache(64);
    FloatBuffer hidden = model.read(ids(prompt + ".input_ids"), 4, cache, run);
    Ids made;
    while (made.size() < greedy.size()) {
      made.push_back(choice(hidden));
      hidden = model.extend({made.back()}, cache, run);
    }
    EXPECT_EQ(made, greedy) << prompt;
  }
}

TEST_P(Qwen3ModelTest, ATextMayGoOnFromTheBeginningOfAnother) {
  const Ids prompt = ids("p1.input_ids");
  KvCache cache = model.make_cache(20);
  model.read(prompt, 16, cache, run);
  model.extend({3, 1, 4}, cache, run);
  cache.truncate(10);
  const FloatBuffer last = logits(model.read({prompt.begin() + 10, prompt.end()}, 16, cache, run));
  EXPECT_TRUE(close_to(expected.get("p1.last_logits"), last.data(), last.size()));
}

TEST_P(Qwen3ModelTest, ACancelledCallLeavesTheCacheAsItWas) {
  struct CancelledRun : QuietRun {
    bool cancelled() override { return ++asked == 2; }
    int asked = 0;
  } cancelled;
  KvCache cache = model.make_cache(6);
  EXPECT_TRUE(
      throws_error(RH_CANCELLED, "cancelled", [&] { model.extend(ids("p0.input_ids"), cache, cancelled); }));
  EXPECT_EQ(cache.size(), 0);
  const FloatBuffer hidden = model.extend(ids("p0.input_ids"), cache, run);
  EXPECT_TRUE(close_to(expected.get("p0.hidden3"), rows(hidden)));
}

TEST_P(Qwen3ModelTest, WhatDoesNotFitIsRefused) {
  KvCache cache = model.make_cache(4);
  model.extend({1, 2, 3}, cache, run);
  EXPECT_TRUE(throws_error(RH_INVALID_ARGUMENT, "2 tokens behind 3 do not fit a cache of 4", [&] {
    model.extend({1, 2}, cache, run);
  }));
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "token id 1280", [&] { model.extend({1280}, cache, run); }));
  EXPECT_EQ(cache.size(), 3);
}

INSTANTIATE_TEST_SUITE_P(Kernels, Qwen3ModelTest, testing::ValuesIn(all_kernels()), name_of_choice);

// Adds lm_head.weight, the embedding with its rows from the last to the first, to the one file of a model.
void add_head(const std::filesystem::path& file) {
  std::string bytes;
  {
    std::ifstream in(file, std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  std::uint64_t length = 0;
  std::memcpy(&length, bytes.data(), sizeof length);
  auto header = nlohmann::json::parse(bytes.substr(8, length));
  std::string data = bytes.substr(8 + length);
  auto head = header.at("model.embed_tokens.weight");
  const auto begin = head.at("data_offsets").at(0).get<std::size_t>();
  const auto end = head.at("data_offsets").at(1).get<std::size_t>();
  const std::size_t rows = head.at("shape").at(0).get<std::size_t>();
  const std::size_t row = (end - begin) / rows;
  head["data_offsets"] = {data.size(), data.size() + end - begin};
  header["lm_head.weight"] = head;
  for (std::size_t r = rows; r-- > 0;)
    data += data.substr(begin + r * row, row);
  const std::string text = header.dump();
  length = text.size();
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(&length), sizeof length);
  out << text << data;
}

TEST(Qwen3ModelHead, IsLmHeadWhereTheConfigTiesNothing) {
  const ReferenceCase reference("qwen3-tiny-lm");
  const ModelCopy copy(reference.folder());
  const auto kernels = make_reference_kernels();
  copy.set("config.json", "tie_word_embeddings", false);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "lm_head.weight", [&] { Qwen3Model(copy.path(), *kernels); }));

  add_head(copy.path() / "model.safetensors");
  const Qwen3Model model(copy.path(), *kernels);
  const ExpectedGroup expected(reference, "lm");
  QuietRun run;
  KvCache cache = model.make_cache(6);
  const FloatBuffer last = model.read(ids_of(expected.get("p0.input_ids")), 6, cache, run);
  std::vector<float> logits(static_cast<std::size_t>(model.config().vocab_size));
  model.logits({logits.data(), 1, model.config().vocab_size}, {last.data(), 1, model.config().hidden_size});
  std::ranges::reverse(logits);
  EXPECT_TRUE(close_to(expected.get("p0.last_logits"), logits.data(), logits.size()));
}

TEST(Qwen3ModelMemory, LayersMayBeGivenBackWhileTokensCome) {
  const ReferenceCase reference("qwen3-tiny-lm");
  const auto kernels = make_reference_kernels();
  Qwen3Model model(reference.folder(), *kernels);
  EXPECT_GT(model.resident_bytes(), model.least_bytes());
  EXPECT_GT(model.least_bytes(), std::uint64_t{1280} * 56 * 2) << "the head stays";
  model.keep_within(model.least_bytes());
  const ExpectedGroup expected(reference, "lm");
  QuietRun run;
  KvCache cache = model.make_cache(6);
  const FloatBuffer hidden = model.extend(ids_of(expected.get("p0.input_ids")), cache, run);
  EXPECT_TRUE(close_to(expected.get("p0.hidden3"), {hidden.data(), 6, 56}));
}

}  // namespace
}  // namespace engines::test
