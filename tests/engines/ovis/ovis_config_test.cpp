// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "engines/ovis/config.h"
#include "tests/engines/pipeline/damaged_model.h"

namespace engines::test {
namespace {

Config tiny_config(const nlohmann::json& changes) {
  nlohmann::json json = {{"_class_name", "OvisImageTransformer2DModel"},
                         {"patch_size", 1},
                         {"in_channels", 12},
                         {"num_layers", 2},
                         {"num_single_layers", 2},
                         {"attention_head_dim", 14},
                         {"num_attention_heads", 3},
                         {"joint_attention_dim", 20},
                         {"axes_dims_rope", {2, 4, 8}}};
  json.merge_patch(changes);
  return {json, "transformer/config.json"};
}

TEST(OvisConfig, RefusesWhatItDoesNotComputeByFieldName) {
  const std::pair<const char*, nlohmann::json> refusals[] = {
      {"_class_name", "FluxTransformer2DModel"},
      {"patch_size", 2},
      {"quantization_config", {{"bits", 8}}},
      {"in_channels", 0},
      {"in_channels", 14},
      {"in_channels", nullptr},
      {"out_channels", 16},
      {"num_layers", -1},
      {"num_layers", "two"},
      {"num_single_layers", 1 << 20},
      {"attention_head_dim", 1},
      {"num_attention_heads", 0},
      {"joint_attention_dim", 0},
      {"axes_dims_rope", {2, 4, 10}},
      {"axes_dims_rope", {3, 3, 8}},
      {"axes_dims_rope", {6, 8}},
  };
  for (const auto& [field, value] : refusals) {
    EXPECT_TRUE(throws_error(RH_MODEL_INVALID, std::string("transformer/config.json: ") + field,
                             [&] {
                               ovis::OvisConfig::read(tiny_config({{field, value}}));
                             }))
        << field << " " << value;
  }
}

TEST(OvisConfig, WidthsFollowFromHeadsAndTokens) {
  for (const nlohmann::json& out_channels : {nlohmann::json(nullptr), nlohmann::json(12)}) {
    const auto config = ovis::OvisConfig::read(tiny_config({{"out_channels", out_channels}}));
    EXPECT_EQ(config.dim(), 42);
    EXPECT_EQ(config.feed_forward_dim(), 168);
    EXPECT_EQ(config.latent_channels(), 3);
  }
}

}  // namespace
}  // namespace engines::test
