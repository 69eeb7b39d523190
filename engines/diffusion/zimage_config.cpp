// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <numeric>

#include "engines/diffusion/patches.h"
#include "engines/diffusion/zimage_transformer.h"

namespace engines {
namespace {

using namespace std::literals;

constexpr std::size_t kAxes = 3;  // time, row, column
// Positions on the time axis that the shortest caption takes: padded, with the image's own behind it.
constexpr std::int64_t kShortestTime = 34;

void only_one(const Config& json, std::string_view field, std::int64_t supported) {
  const auto values = json.integers(field, 1, 16, 1, 64);
  if (values != std::vector{supported})
    json.fail(field, fmt::format("unsupported, expected [{}]", supported));
}

void refuse_variants(const Config& json) {
  json.only("_class_name", "ZImageTransformer2DModel"sv);
  if (json.has("all_patch_size")) only_one(json, "all_patch_size", kPatch);
  if (json.has("all_f_patch_size")) only_one(json, "all_f_patch_size", 1);
  if (json.has("siglip_feat_dim")) json.fail("siglip_feat_dim", "image conditioning is not supported");
  if (json.has("quantization_config"))
    json.fail("quantization_config", "quantised weights are not supported, expected f32, bf16 or f16");
}

void check_heads(const Config& json, const ZImageTransformerConfig& c) {
  if (c.dim % c.heads != 0) {
    json.fail("n_heads", fmt::format("{} does not divide dim {}", c.heads, c.dim));
  }
  for (const auto width : c.axes_dims) {
    if (width % 2 != 0) json.fail("axes_dims", fmt::format("{} is odd, expected even numbers", width));
  }
  const auto sum = std::accumulate(c.axes_dims.begin(), c.axes_dims.end(), std::int64_t{0});
  if (sum != c.head_dim()) {
    json.fail("axes_dims", fmt::format("the sum is {}, expected dim / n_heads = {}", sum, c.head_dim()));
  }
}

}  // namespace

ZImageTransformerConfig ZImageTransformerConfig::read(const Config& json) {
  refuse_variants(json);
  ZImageTransformerConfig c{};
  c.dim = json.integer("dim", 2, 1 << 16);
  c.layers = json.integer("n_layers", 1, 1024);
  c.refiner_layers = json.integer("n_refiner_layers", 0, 1024);
  c.heads = json.integer("n_heads", 1, 4096);
  c.in_channels = json.integer("in_channels", 1, 4096);
  c.cap_feat_dim = json.integer("cap_feat_dim", 1, 1 << 20);
  c.patch_size = kPatch;
  c.qk_norm = json.boolean_or("qk_norm", true);
  c.norm_eps = json.number("norm_eps", 0, 1);
  c.rope_theta = json.number("rope_theta", 1, 1e12);
  c.t_scale = json.number("t_scale", 1e-6, 1e9);
  c.axes_dims = json.integers("axes_dims", kAxes, kAxes, 2, 1 << 16);
  c.axes_lens = json.integers("axes_lens", kAxes, kAxes, 1, 1 << 20);
  if (c.axes_lens[0] < kShortestTime)
    json.fail("axes_lens", fmt::format("{} positions of time, expected {} or more: the shortest prompt takes "
                                       "so many",
                                       c.axes_lens[0], kShortestTime));
  check_heads(json, c);
  return c;
}

}  // namespace engines
