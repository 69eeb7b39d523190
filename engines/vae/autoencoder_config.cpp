// SPDX-License-Identifier: Apache-2.0
// Reading vae/config.json, with the defaults of diffusers' AutoencoderKL.
#include <fmt/format.h>

#include <algorithm>

#include "engines/vae/autoencoder_kl.h"

namespace engines {
namespace {

constexpr std::int64_t kMaxChannels = 16384;

// Every block of the list is of the one supported type, and there is one for each level.
void require_blocks(const Config& json, std::string_view field, const std::string& type, std::size_t levels) {
  const std::vector<std::string> types = json.texts_or(field, std::vector<std::string>(levels, type));
  if (types.size() != levels)
    json.fail(field,
              fmt::format("has {} entries, expected {} as in block_out_channels", types.size(), levels));
  for (const std::string& found : types)
    if (found != type) json.fail(field, "'" + found + "' is not supported, expected " + type);
}

void require_groups(const Config& json, const AutoencoderConfig& config) {
  for (const std::int64_t channels : config.block_out_channels)
    if (channels % config.norm_num_groups != 0)
      json.fail("norm_num_groups", fmt::format("{} does not divide the {} channels of block_out_channels",
                                               config.norm_num_groups, channels));
}

void require_no_statistics(const Config& json) {
  for (const char* field : {"latents_mean", "latents_std"})
    if (json.has(field)) json.fail(field, "is not supported, expected null");
}

}  // namespace

AutoencoderConfig AutoencoderConfig::read(const Config& json) {
  json.only("_class_name", "AutoencoderKL");
  json.only("act_fn", "silu");
  AutoencoderConfig config{};
  config.in_channels = json.integer_or("in_channels", 3, 1, kMaxChannels);
  config.out_channels = json.integer_or("out_channels", 3, 1, kMaxChannels);
  config.latent_channels = json.integer_or("latent_channels", 4, 1, kMaxChannels);
  config.layers_per_block = json.integer_or("layers_per_block", 1, 1, 64);
  config.norm_num_groups = json.integer_or("norm_num_groups", 32, 1, kMaxChannels);
  config.block_out_channels = json.integers("block_out_channels", 1, 8, 1, kMaxChannels);
  config.scaling_factor = json.number_or("scaling_factor", 0.18215, 1e-6, 1e6);
  config.shift_factor = json.number_or("shift_factor", 0, -1e6, 1e6);
  config.mid_block_add_attention = json.boolean_or("mid_block_add_attention", true);
  config.use_quant_conv = json.boolean_or("use_quant_conv", true);
  config.use_post_quant_conv = json.boolean_or("use_post_quant_conv", true);

  const std::size_t levels = config.block_out_channels.size();
  require_blocks(json, "down_block_types", "DownEncoderBlock2D", levels);
  require_blocks(json, "up_block_types", "UpDecoderBlock2D", levels);
  require_groups(json, config);
  require_no_statistics(json);
  return config;
}

}  // namespace engines
