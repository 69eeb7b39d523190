// SPDX-License-Identifier: Apache-2.0
// The table of tensor names and shapes, as diffusers' AutoencoderKL saves them.
#include "engines/vae/autoencoder_weights.h"

#include <fmt/format.h>

#include <string>

namespace engines {
namespace {

constexpr ConvShape kSame{.kernel = 3, .stride = 1, .pad_before = 1, .pad_after = 1};
constexpr ConvShape kHalve{.kernel = 3, .stride = 2, .pad_before = 0, .pad_after = 1};
constexpr ConvShape kPointwise{.kernel = 1, .stride = 1, .pad_before = 0, .pad_after = 0};

// Finds parts by the prefix of their names.
class Loader {
 public:
  explicit Loader(const WeightSet& weights) : weights_(weights) {}

  Norm norm(const std::string& name, std::int64_t channels) const {
    return {weights_.floats(name + ".weight", {channels}), weights_.floats(name + ".bias", {channels})};
  }

  Conv conv(const std::string& name, std::int64_t in, std::int64_t out, const ConvShape& shape) const {
    return {weights_.get(name + ".weight", {out, in, shape.kernel, shape.kernel}),
            weights_.floats(name + ".bias", {out}), shape};
  }

  // `older` is the spelling of diffusers before 0.13.
  Linear linear(const std::string& prefix, const char* name, const char* older, std::int64_t size) const {
    const bool is_older = weights_.contains(prefix + older + ".weight");
    return stored_linear(weights_, prefix + (is_older ? older : name), size, size, Bias::added);
  }

  Resnet resnet(const std::string& name, std::int64_t in, std::int64_t out) const {
    Resnet resnet{.norm1 = norm(name + ".norm1", in),
                  .norm2 = norm(name + ".norm2", out),
                  .conv1 = conv(name + ".conv1", in, out, kSame),
                  .conv2 = conv(name + ".conv2", out, out, kSame),
                  .shortcut = {}};
    if (in != out) resnet.shortcut = conv(name + ".conv_shortcut", in, out, kPointwise);
    return resnet;
  }

  SpatialAttention attention(const std::string& name, std::int64_t channels) const {
    return {norm(name + "group_norm", channels), linear(name, "to_q", "query", channels),
            linear(name, "to_k", "key", channels), linear(name, "to_v", "value", channels),
            linear(name, "to_out.0", "proj_attn", channels)};
  }

  MidBlock mid_block(const std::string& name, std::int64_t channels, bool with_attention) const {
    MidBlock mid{.before = resnet(name + ".resnets.0", channels, channels),
                 .after = resnet(name + ".resnets.1", channels, channels),
                 .attention = {}};
    if (with_attention) mid.attention = attention(name + ".attentions.0.", channels);
    return mid;
  }

  // `resample` is the name of the convolution that changes the size, empty for none.
  Level level(const std::string& name, std::int64_t in, std::int64_t out, std::int64_t resnets,
              const std::string& resample, const ConvShape& shape) const {
    Level level;
    for (std::int64_t i = 0; i < resnets; ++i)
      level.resnets.push_back(resnet(fmt::format("{}.resnets.{}", name, i), i == 0 ? in : out, out));
    if (!resample.empty()) level.resample = conv(name + resample, out, out, shape);
    return level;
  }

 private:
  const WeightSet& weights_;
};

}  // namespace

Encoder load_encoder(const WeightSet& weights, const AutoencoderConfig& config) {
  const Loader load(weights);
  const auto& widths = config.block_out_channels;
  const std::int64_t moments = 2 * config.latent_channels;
  Encoder encoder;
  encoder.conv_in = load.conv("encoder.conv_in", config.in_channels, widths.front(), kSame);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const bool last = i + 1 == widths.size();
    encoder.levels.push_back(load.level(fmt::format("encoder.down_blocks.{}", i),
                                        i == 0 ? widths[0] : widths[i - 1], widths[i],
                                        config.layers_per_block, last ? "" : ".downsamplers.0.conv", kHalve));
  }
  encoder.mid = load.mid_block("encoder.mid_block", widths.back(), config.mid_block_add_attention);
  encoder.norm_out = load.norm("encoder.conv_norm_out", widths.back());
  encoder.conv_out = load.conv("encoder.conv_out", widths.back(), moments, kSame);
  if (config.use_quant_conv) encoder.quant = load.conv("quant_conv", moments, moments, kPointwise);
  return encoder;
}

Decoder load_decoder(const WeightSet& weights, const AutoencoderConfig& config) {
  const Loader load(weights);
  const std::vector<std::int64_t> widths(config.block_out_channels.rbegin(),
                                         config.block_out_channels.rend());
  Decoder decoder;
  if (config.use_post_quant_conv)
    decoder.post_quant =
        load.conv("post_quant_conv", config.latent_channels, config.latent_channels, kPointwise);
  decoder.conv_in = load.conv("decoder.conv_in", config.latent_channels, widths.front(), kSame);
  decoder.mid = load.mid_block("decoder.mid_block", widths.front(), config.mid_block_add_attention);
  for (std::size_t i = 0; i < widths.size(); ++i) {
    const bool last = i + 1 == widths.size();
    decoder.levels.push_back(
        load.level(fmt::format("decoder.up_blocks.{}", i), i == 0 ? widths[0] : widths[i - 1], widths[i],
                   config.layers_per_block + 1, last ? "" : ".upsamplers.0.conv", kSame));
  }
  decoder.norm_out = load.norm("decoder.conv_norm_out", widths.back());
  decoder.conv_out = load.conv("decoder.conv_out", widths.back(), config.out_channels, kSame);
  return decoder;
}

}  // namespace engines
