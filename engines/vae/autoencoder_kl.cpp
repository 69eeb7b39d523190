// SPDX-License-Identifier: Apache-2.0
// After diffusers' AutoencoderKL: the order of its parts and what happens at both ends.
#include "engines/vae/autoencoder_kl.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "engines/tensor/error.h"
#include "engines/vae/autoencoder_names.h"
#include "engines/vae/autoencoder_weights.h"
#include "engines/vae/blocks.h"
#include "engines/vae/up_levels.h"

namespace engines {
namespace {

constexpr std::int64_t kMaxSide = 65536;  // of the image; keeps products far from overflow

std::string shown(const ConstPlanes& planes) {
  return fmt::format("[{}, {}, {}]", planes.channels, planes.height, planes.width);
}

// `small` is on the grid of latents and `large` on that of pixels, `scale` times as fine.
void check_sizes(const char* small_name, ConstPlanes small, std::int64_t small_channels,
                 const char* large_name, ConstPlanes large, std::int64_t large_channels, std::int64_t scale) {
  const auto is_side = [](std::int64_t side) { return side >= 1 && side <= kMaxSide; };
  if (!is_side(large.height) || !is_side(large.width) || large.height % scale != 0 ||
      large.width % scale != 0 || large.channels != large_channels)
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("{}: {}, expected {} channels and sides of 1 to {} that are multiples of {}",
                            large_name, shown(large), large_channels, kMaxSide, scale));
  const ConstPlanes expected(nullptr, small_channels, large.height / scale, large.width / scale);
  if (small.channels != expected.channels || small.height != expected.height || small.width != expected.width)
    throw Error(RH_INVALID_DIMENSION, std::string(small_name) + ": " + shown(small) + ", expected " +
                                          shown(expected) + " for " + large_name + " of " + shown(large));
}

}  // namespace

struct AutoencoderKL::Parts {
  Encoder encoder;
  Decoder decoder;
  std::size_t peak_bytes = 0;

  // Notes the peak when the pass ends, also by an exception.
  struct Pass {
    Parts& parts;
    MemoryCount memory;
    explicit Pass(Parts& p) : parts(p) {}
    ~Pass() { parts.peak_bytes = memory.peak; }
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
  };
};

AutoencoderKL::AutoencoderKL(const std::filesystem::path& folder, Kernels& kernels)
    : config_(AutoencoderConfig::read(Config::read(folder / "config.json", "vae/config.json"))),
      weights_(folder, "diffusion_pytorch_model", {}, original_autoencoder_names(config_)),
      kernels_(kernels),
      parts_(std::make_unique<Parts>()) {
  parts_->encoder = load_encoder(weights_, config_);
  parts_->decoder = load_decoder(weights_, config_);
}

AutoencoderKL::~AutoencoderKL() = default;

std::size_t AutoencoderKL::activation_bytes() const {
  return parts_->peak_bytes;
}

void AutoencoderKL::decode(ConstPlanes latents, Planes image, Run& run, const PlanesTap& tap,
                           std::size_t budget) const {
  check_sizes("latents", latents, config_.latent_channels, "image", image, config_.out_channels,
              config_.scale());
  Parts::Pass pass(*parts_);
  const BlockContext context{kernels_, config_.norm_num_groups, pass.memory, run};
  const Decoder& decoder = parts_->decoder;
  const auto show = [&tap](const std::string& name, ConstPlanes x) {
    if (tap) tap(name, x);
  };

  Activation x(pass.memory, latents.channels, latents.height, latents.width);
  const auto scaling = static_cast<float>(config_.scaling_factor);
  const auto shift = static_cast<float>(config_.shift_factor);
  std::transform(latents.data, latents.data + latents.size(), x.planes().data,
                 [=](float value) { return value / scaling + shift; });
  if (decoder.post_quant) x = convolve(context, *decoder.post_quant, x);
  x = convolve(context, decoder.conv_in, x);
  show("conv_in", x);
  x = apply_mid_block(context, decoder.mid, std::move(x));
  show("mid_block", x);
  // The mid block's attention needs all of the image; below, only the statistics of the norms do.
  if (tap) budget = std::numeric_limits<std::size_t>::max();
  for (std::size_t i = 0; i < decoder.levels.size(); ++i) {
    std::span<const Resnet> resnets = decoder.levels[i].resnets;
    if (i > 0) {
      const Conv& conv = *decoder.levels[i - 1].resample;
      const auto show_enlarged = [&](ConstPlanes larger) { show(fmt::format("up{}", i - 1), larger); };
      if (resnets.front().shortcut) {
        x = apply_enlarged_resnet(context, conv, resnets.front(), std::move(x), budget, show_enlarged);
        resnets = resnets.subspan(1);
      } else {
        x = enlarge(context, conv, std::move(x));
        show_enlarged(x);
      }
    }
    for (const Resnet& resnet : resnets)
      add_resnet(context, resnet, x, budget);
  }
  show(fmt::format("up{}", decoder.levels.size() - 1), x);
  convolve_normed(context, decoder.norm_out, decoder.conv_out, image, x);
}

void AutoencoderKL::encode(ConstPlanes image, Planes moments, Run& run, const PlanesTap& tap) const {
  check_sizes("moments", moments, 2 * config_.latent_channels, "image", image, config_.in_channels,
              config_.scale());
  Parts::Pass pass(*parts_);
  const BlockContext context{kernels_, config_.norm_num_groups, pass.memory, run};
  const Encoder& encoder = parts_->encoder;
  const auto show = [&tap](const std::string& name, const Activation& x) {
    if (tap) tap(name, x);
  };

  Activation x = convolve(context, encoder.conv_in, image);
  show("conv_in", x);
  for (std::size_t i = 0; i < encoder.levels.size(); ++i) {
    x = apply_down_level(context, encoder.levels[i], std::move(x));
    show(fmt::format("down{}", i), x);
  }
  x = apply_mid_block(context, encoder.mid, std::move(x));
  show("mid_block", x);
  run.check_cancelled();
  group_norm(context, encoder.norm_out, x, x, true);
  x = convolve(context, encoder.conv_out, x);
  if (encoder.quant) x = convolve(context, *encoder.quant, x);
  std::copy_n(x.planes().data, moments.size(), moments.data);
}

void AutoencoderKL::sample(ConstPlanes moments, const float* noise, Planes latents) const {
  const std::int64_t channels = config_.latent_channels;
  if (moments.channels != 2 * channels || latents.channels != channels || moments.height != latents.height ||
      moments.width != latents.width)
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("latents: {} do not fit moments of {} and {} latent channels", shown(latents),
                            shown(moments), channels));
  const auto scaling = static_cast<float>(config_.scaling_factor);
  const auto shift = static_cast<float>(config_.shift_factor);
  const float* mean = moments.data;
  const float* logvar = moments.plane(channels);
  for (std::int64_t i = 0; i < latents.size(); ++i) {
    const float spread = noise ? std::exp(std::clamp(logvar[i], -30.0F, 20.0F) / 2) * noise[i] : 0.0F;
    latents.data[i] = (mean[i] + spread - shift) * scaling;
  }
}

}  // namespace engines
