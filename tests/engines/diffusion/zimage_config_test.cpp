// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engines/diffusion/zimage_transformer.h"
#include "tests/engines/pipeline/damaged_model.h"

namespace engines::test {
namespace {

Config tiny_config(const nlohmann::json& changes) {
  nlohmann::json json = {{"_class_name", "ZImageTransformer2DModel"},
                         {"all_patch_size", {2}},
                         {"all_f_patch_size", {1}},
                         {"dim", 76},
                         {"n_layers", 2},
                         {"n_refiner_layers", 1},
                         {"n_heads", 2},
                         {"n_kv_heads", 2},
                         {"in_channels", 16},
                         {"cap_feat_dim", 64},
                         {"norm_eps", 1e-5},
                         {"qk_norm", true},
                         {"rope_theta", 256},
                         {"t_scale", 1000},
                         {"axes_dims", {10, 14, 14}},
                         {"axes_lens", {1536, 512, 512}}};
  json.merge_patch(changes);
  return {json, "transformer/config.json"};
}

struct Refusal {
  const char* field;
  nlohmann::json changes;
};

TEST(ZImageTransformerConfig, RefusesWhatItDoesNotComputeByFieldName) {
  const Refusal refusals[] = {
      {"_class_name", {{"_class_name", "FluxTransformer2DModel"}}},
      {"all_patch_size", {{"all_patch_size", {4}}}},
      {"all_patch_size", {{"all_patch_size", {2, 4}}}},
      {"all_f_patch_size", {{"all_f_patch_size", {2}}}},
      {"siglip_feat_dim", {{"siglip_feat_dim", 1152}}},
      {"quantization_config", {{"quantization_config", {{"bits", 8}}}}},
      {"dim", {{"dim", 0}}},
      {"dim", {{"dim", 1ULL << 31}}},
      {"dim", {{"dim", nullptr}}},
      {"n_heads", {{"n_heads", 3}}},
      {"n_heads", {{"n_heads", 0}}},
      {"n_layers", {{"n_layers", -1}}},
      {"n_refiner_layers", {{"n_refiner_layers", "two"}}},
      {"in_channels", {{"in_channels", 0}}},
      {"cap_feat_dim", {{"cap_feat_dim", 0}}},
      {"norm_eps", {{"norm_eps", -1}}},
      {"qk_norm", {{"qk_norm", "yes"}}},
      {"rope_theta", {{"rope_theta", 0}}},
      {"t_scale", {{"t_scale", 0}}},
      {"axes_dims", {{"axes_dims", {10, 14, 16}}}},
      {"axes_dims", {{"axes_dims", {10, 13, 15}}}},
      {"axes_dims", {{"axes_dims", {10, 28}}}},
      {"axes_lens", {{"axes_lens", {1536, 512}}}},
      {"axes_lens", {{"axes_lens", {1536, 0, 512}}}},
  };
  for (const auto& refusal : refusals) {
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, refusal.field, [&] {
      ZImageTransformerConfig::read(tiny_config(refusal.changes));
    })) << refusal.changes;
  }
}

TEST(ZImageTransformerConfig, IgnoresTheNumberOfKeyValueHeadsAsTheReferenceDoes) {
  EXPECT_EQ(ZImageTransformerConfig::read(tiny_config({{"n_kv_heads", 1}})).heads, 2);
}

TEST(ZImageTransformerConfig, TheFeedForwardWidthIsPythonsIntOfDimThirdsTimesEight) {
  for (const std::int64_t dim : {76, 192, 260, 3840, 100, 101, 1022}) {
    ZImageTransformerConfig config{};
    config.dim = dim;
    EXPECT_EQ(config.feed_forward_dim(), static_cast<std::int64_t>(static_cast<double>(dim) / 3 * 8)) << dim;
  }
}

}  // namespace
}  // namespace engines::test
