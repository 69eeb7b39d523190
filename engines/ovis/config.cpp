// SPDX-License-Identifier: Apache-2.0
#include "engines/ovis/config.h"

#include <fmt/format.h>

#include <numeric>

namespace engines::ovis {
namespace {

constexpr std::size_t kAxes = 3;
constexpr std::int64_t kLatentsPerToken = 4;

void check_axes(const Config& json, const OvisConfig& c) {
  for (const auto width : c.axes_dims) {
    if (width % 2 != 0) json.fail("axes_dims_rope", fmt::format("{} is odd, expected even numbers", width));
  }
  const auto sum = std::accumulate(c.axes_dims.begin(), c.axes_dims.end(), std::int64_t{0});
  if (sum != c.head_dim) {
    json.fail("axes_dims_rope",
              fmt::format("the sum is {}, expected attention_head_dim = {}", sum, c.head_dim));
  }
}

}  // namespace

OvisConfig OvisConfig::read(const Config& json) {
  json.only("_class_name", kTransformer);
  json.only("patch_size", 1);
  if (json.has("quantization_config"))
    json.fail("quantization_config", "quantised weights are not supported, expected f32, bf16 or f16");
  OvisConfig c;
  c.token_width = json.integer("in_channels", kLatentsPerToken, 1 << 14);
  if (c.token_width % kLatentsPerToken != 0)
    json.fail("in_channels", fmt::format("{} is not a multiple of 4", c.token_width));
  json.only("out_channels", c.token_width);
  c.double_blocks = json.integer("num_layers", 0, 1024);
  c.single_blocks = json.integer("num_single_layers", 0, 1024);
  c.heads = json.integer("num_attention_heads", 1, 4096);
  c.head_dim = json.integer("attention_head_dim", 2, 1 << 14);
  c.caption_width = json.integer("joint_attention_dim", 1, 1 << 20);
  c.axes_dims = json.integers("axes_dims_rope", kAxes, kAxes, 2, 1 << 14);
  check_axes(json, c);
  return c;
}

}  // namespace engines::ovis
