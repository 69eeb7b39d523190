// SPDX-License-Identifier: Apache-2.0
// What config.json files of the families say, and what is refused.
#include "engines/text/decoder_config.h"

#include <gmock/gmock.h>

#include "tests/engines/pipeline/damaged_model.h"

namespace engines::test {
namespace {

using Json = nlohmann::json;

DecoderConfig read_config(const Json& changes) {
  Json json = {{"hidden_size", 64},        {"num_hidden_layers", 8}, {"num_attention_heads", 4},
               {"num_key_value_heads", 2}, {"head_dim", 16},         {"vocab_size", 100},
               {"intermediate_size", 128}};
  json.merge_patch(changes);
  return DecoderConfig::read({json, "config.json"}, false);
}

std::vector<std::int64_t> windows(const DecoderConfig& config) {
  std::vector<std::int64_t> found;
  for (const LayerKind& kind : config.kinds)
    found.push_back(kind.window);
  return found;
}

TEST(DecoderConfig, WindowsOfLayersFollowTheFamily) {
  using testing::ElementsAre;
  EXPECT_THAT(windows(read_config({{"model_type", "mistral"}, {"sliding_window", 5}})), testing::Each(5));
  EXPECT_THAT(windows(read_config({{"model_type", "mistral"}})), testing::Each(0));
  EXPECT_THAT(windows(read_config({{"model_type", "gemma2"}, {"sliding_window", 5}})),
              ElementsAre(5, 0, 5, 0, 5, 0, 5, 0));
  const DecoderConfig gemma3 = read_config({{"model_type", "gemma3_text"}, {"sliding_window", 5}});
  EXPECT_THAT(windows(gemma3), ElementsAre(5, 5, 5, 5, 5, 0, 5, 5));
  EXPECT_EQ(gemma3.kinds[0].rope, 1U);
  EXPECT_EQ(gemma3.kinds[5].rope, 0U);
  EXPECT_LT(gemma3.ropes[0].frequencies.back(), gemma3.ropes[1].frequencies.back());
  EXPECT_THAT(windows(read_config({{"model_type", "qwen2"},
                                   {"use_sliding_window", true},
                                   {"sliding_window", 9},
                                   {"max_window_layers", 6}})),
              ElementsAre(0, 0, 0, 0, 0, 0, 9, 9));
}

TEST(DecoderConfig, NewerFilesHaveRopeParametersForEachKindOfLayer) {
  const Json ropes = {{"full_attention", {{"rope_type", "linear"}, {"factor", 8.0}, {"rope_theta", 1e6}}},
                      {"sliding_attention", {{"rope_type", "default"}, {"rope_theta", 1e4}}}};
  const DecoderConfig config = read_config({{"model_type", "gemma3_text"}, {"rope_parameters", ropes}});
  EXPECT_FLOAT_EQ(config.ropes.at(0).frequencies.at(0), 0.125f);
  EXPECT_FLOAT_EQ(config.ropes.at(1).frequencies.at(0), 1);
}

TEST(DecoderConfig, ANullSoftcapIsNone) {
  EXPECT_EQ(read_config({{"model_type", "gemma2"}}).logits_softcap, 30);
  const Json json = Json::parse(
      R"({"model_type": "gemma2", "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
          "vocab_size": 9, "intermediate_size": 8, "final_logit_softcapping": null})");
  EXPECT_EQ(DecoderConfig::read({json, "config.json"}, false).logits_softcap, 0);
}

TEST(DecoderConfig, ClassesAndTypesThatAreNoneOfTheTableAreUnsupported) {
  EXPECT_TRUE(throws_error(RH_CAPABILITY_UNSUPPORTED, "MixtralForCausalLM", [] {
    read_config({{"model_type", "mistral"}, {"architectures", {"MixtralForCausalLM"}}});
  }));
  EXPECT_TRUE(throws_error(RH_CAPABILITY_UNSUPPORTED, "'falcon'", [] {
    read_config({{"model_type", "falcon"}});
  }));
  EXPECT_TRUE(throws_error(RH_CAPABILITY_UNSUPPORTED, "model_type", [] { read_config(Json::object()); }));
}

TEST(DecoderConfig, RefusesWhatItDoesNotComputeByFieldName) {
  const struct {
    const char* field;
    Json changes;
  } refusals[] = {
      {"hidden_act", {{"model_type", "llama"}, {"hidden_act", "relu"}}},
      {"hidden_activation", {{"model_type", "gemma2"}, {"hidden_activation", "silu"}}},
      {"quantization_config", {{"model_type", "llama"}, {"quantization_config", {{"bits", 4}}}}},
      {"pretraining_tp", {{"model_type", "llama"}, {"pretraining_tp", 2}}},
      {"use_bidirectional_attention", {{"model_type", "gemma3_text"}, {"use_bidirectional_attention", true}}},
      {"rope_type", {{"model_type", "llama"}, {"rope_scaling", {{"rope_type", "dynamic"}, {"factor", 2.0}}}}},
      {"factor", {{"model_type", "llama"}, {"rope_scaling", {{"rope_type", "linear"}}}}},
      {"factor", {{"model_type", "llama"}, {"rope_scaling", {{"rope_type", "yarn"}, {"factor", 0}}}}},
      {"low_freq_factor",
       {{"model_type", "llama"}, {"rope_scaling", {{"rope_type", "llama3"}, {"factor", 2.0}}}}},
      {"long_factor",
       {{"model_type", "phi3"}, {"rope_scaling", {{"type", "longrope"}, {"long_factor", {1.0}}}}}},
      {"partial_rotary_factor", {{"model_type", "phi3"}, {"partial_rotary_factor", 0.19}}},
      {"layer_types", {{"model_type", "qwen3"}, {"layer_types", {"full_attention"}}}},
      {"layer_types", {{"model_type", "mistral"}, {"layer_types", Json(8, "chunked_attention")}}},
      {"sliding_window", {{"model_type", "mistral"}, {"layer_types", Json(8, "sliding_attention")}}},
      {"num_key_value_heads", {{"model_type", "llama"}, {"num_key_value_heads", 3}}},
      {"head_dim", {{"model_type", "llama"}, {"head_dim", 15}}},
      {"hidden_size", {{"model_type", "llama"}, {"hidden_size", 1ULL << 31}}},
      {"num_hidden_layers", {{"model_type", "llama"}, {"num_hidden_layers", 0}}},
  };
  for (const auto& refusal : refusals) {
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, refusal.field, [&] { read_config(refusal.changes); }))
        << refusal.changes;
  }
}

}  // namespace
}  // namespace engines::test
