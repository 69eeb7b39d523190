// SPDX-License-Identifier: Apache-2.0
#include "engines/text/qwen3_encoder.h"

#include <gmock/gmock.h>

#include <numeric>

#include "tests/engines/pipeline/damaged_model.h"
#include "tests/engines/pipeline/reference_case.h"

namespace engines::test {
namespace {

Config tiny_config(const nlohmann::json& changes) {
  nlohmann::json json = {{"model_type", "qwen3"},    {"hidden_size", 64},        {"num_hidden_layers", 4},
                         {"num_attention_heads", 4}, {"num_key_value_heads", 2}, {"head_dim", 32},
                         {"intermediate_size", 160}, {"vocab_size", 1280},       {"rms_norm_eps", 1e-6},
                         {"hidden_act", "silu"},     {"attention_bias", false},  {"rope_scaling", nullptr},
                         {"rope_theta", 1000000}};
  json.merge_patch(changes);
  return {json, "text_encoder/config.json"};
}

struct Refusal {
  const char* field;
  nlohmann::json changes;
};

TEST(Qwen3Config, RefusesWhatItDoesNotComputeByFieldName) {
  const Refusal refusals[] = {
      {"attention_bias", {{"attention_bias", true}}},
      {"hidden_act", {{"hidden_act", "gelu"}}},
      {"model_type", {{"model_type", "llama"}}},
      {"use_sliding_window", {{"use_sliding_window", true}}},
      {"layer_types", {{"layer_types", {"full_attention", "sliding_attention"}}}},
      {"rope_type", {{"rope_scaling", {{"rope_type", "llama3"}, {"factor", 8}}}}},
      {"type", {{"rope_scaling", {{"type", "yarn"}}}}},
      {"rope_type", {{"rope_parameters", {{"rope_type", "yarn"}, {"rope_theta", 1e6}}}}},
      {"quantization_config", {{"quantization_config", {{"bits", 4}}}}},
      {"num_hidden_layers", {{"num_hidden_layers", 0}}},
      {"num_key_value_heads", {{"num_key_value_heads", 3}}},
      {"head_dim", {{"head_dim", 31}}},
      {"hidden_size", {{"hidden_size", 1ULL << 31}}},
      {"hidden_size", {{"hidden_size", "64"}}},
      {"rope_theta", {{"rope_theta", 0}}},
      {"vocab_size", {{"vocab_size", nullptr}}},
  };
  for (const auto& refusal : refusals) {
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, refusal.field, [&] {
      Qwen3Config::read(tiny_config(refusal.changes));
    })) << refusal.changes;
  }
}

TEST(Qwen3Config, ReadsRopeParametersOfNewerFiles) {
  const auto config = Qwen3Config::read(tiny_config(
      {{"rope_theta", nullptr}, {"rope_parameters", {{"rope_type", "default"}, {"rope_theta", 5e6}}}}));
  EXPECT_EQ(config.rope_theta, 5e6);
}

TEST(Qwen3Config, TakesHeadDimFromHiddenSizeWhenAbsent) {
  EXPECT_EQ(Qwen3Config::read(tiny_config({{"head_dim", nullptr}})).head_dim, 16);
}

class Qwen3EncoderFiles : public testing::Test {
 protected:
  ModelCopy model{std::filesystem::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny"};
  std::unique_ptr<Kernels> kernels = make_reference_kernels();
  void open() const { Qwen3Encoder(model.path() / "text_encoder", *kernels); }
  std::string config = "text_encoder/config.json";
};

TEST_F(Qwen3EncoderFiles, ATensorOfAnotherShapeIsNamed) {
  model.set(config, "intermediate_size", 161);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "model.layers.0.mlp.gate_proj.weight", [&] { open(); }));
}

TEST_F(Qwen3EncoderFiles, AnotherNumberOfLayersThanTheWeightsHaveIsRefused) {
  model.set(config, "num_hidden_layers", 5);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "model.layers.4.", [&] { open(); }));
  model.set(config, "num_hidden_layers", 3);
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "num_hidden_layers: 3", [&] { open(); }));
}

TEST_F(Qwen3EncoderFiles, AMissingShardIsNamed) {
  model.remove("text_encoder/model-00002-of-00003.safetensors");
  EXPECT_TRUE(throws_error(RH_WEIGHTS_MISSING, "model-00002-of-00003.safetensors", [&] { open(); }));
}

class Qwen3EncoderTest : public testing::TestWithParam<KernelsChoice> {
 protected:
  ReferenceCase reference{"zimage-tiny"};
  std::unique_ptr<Kernels> kernels = GetParam().make();
  Qwen3Encoder encoder{reference.folder() / "text_encoder", *kernels};
  QuietRun run;

  Rows rows(const FloatBuffer& hidden) const {
    const std::int64_t width = encoder.config().hidden_size;
    return {hidden.data(), static_cast<std::int64_t>(hidden.size()) / width, width};
  }
};

TEST_P(Qwen3EncoderTest, AnIdOutsideTheEmbeddingIsRefused) {
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "1280", [&] { encoder.encode({5, 1280}, run); }));
  EXPECT_TRUE(throws_error(RH_MODEL_INVALID, "-1", [&] { encoder.encode({-1}, run); }));
}

TEST_P(Qwen3EncoderTest, StopsBetweenLayersWhenCancelled) {
  struct CancelledRun : QuietRun {
    bool cancelled() override { return ++asked > 2; }
    int asked = 0;
  } cancelled;
  int seen = 0;
  EXPECT_TRUE(throws_error(RH_CANCELLED, "cancelled", [&] {
    encoder.encode({1, 2, 3}, cancelled, [&](auto&, auto) { ++seen; });
  }));
  EXPECT_EQ(seen, 3) << "the embedding and two layers";
}

TEST_P(Qwen3EncoderTest, HiddenStatesAreThoseOfTheReference) {
  const ExpectedGroup expected(reference, "text_encoder");
  for (const std::string prompt : {"short", "long", "unicode", "negative"}) {
    const auto tap = [&](const std::string& name, ConstRows x) {
      const bool first = name == "hidden0";
      if (!first && name != "hidden1") return;
      EXPECT_TRUE(
          close_to(expected.get(prompt + (first ? ".hidden0_embedding" : ".hidden1_after_layer0")), x));
    };
    const auto hidden = encoder.encode(ids_of(expected.get(prompt + ".input_ids")), run, tap);
    const auto embeds = expected.get(prompt + ".embeds");
    ASSERT_EQ(hidden.size(), embeds.values.size());
    EXPECT_TRUE(close_to(embeds, rows(hidden)));
  }
}

TEST_P(Qwen3EncoderTest, ATruncatedPromptOf512TokensIsEncodedAlike) {
  const ExpectedGroup expected(reference, "text_encoder_truncated");
  const auto hidden = encoder.encode(ids_of(expected.get("input_ids")), run);
  ASSERT_EQ(rows(hidden).rows, 512);
  EXPECT_TRUE(close_to(expected.get("embeds_first4"), rows(hidden).slice_rows(0, 4)));
  EXPECT_TRUE(close_to(expected.get("embeds_last8"), rows(hidden).slice_rows(504, 8)));
}

TEST_P(Qwen3EncoderTest, NamesWithoutThePrefixModelAreRead) {
  const ExpectedGroup expected(reference, "text_encoder");
  const auto ids = ids_of(expected.get("short.input_ids"));
  const ModelCopy copy(std::filesystem::path(ROUNDHOUSE_FIXTURES) / "zimage-tiny");
  copy.strip_prefix("text_encoder", "model.");
  const Qwen3Encoder bare(copy.path() / "text_encoder", *kernels);
  EXPECT_TRUE(close_to(expected.get("short.embeds"), rows(bare.encode(ids, run))));
}

INSTANTIATE_TEST_SUITE_P(Kernels, Qwen3EncoderTest, testing::ValuesIn(all_kernels()), name_of_choice);

}  // namespace
}  // namespace engines::test
