// SPDX-License-Identifier: Apache-2.0
// AutoencoderKL: latents to images and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/tensor/run.h"
#include "engines/weights/config.h"
#include "engines/weights/weight_set.h"

namespace engines {

struct AutoencoderConfig {
  std::int64_t in_channels, out_channels, latent_channels, layers_per_block, norm_num_groups;
  std::vector<std::int64_t> block_out_channels;
  double scaling_factor, shift_factor;
  bool mid_block_add_attention, use_quant_conv, use_post_quant_conv;

  static AutoencoderConfig read(const Config& json);
  std::int64_t scale() const {
    return std::int64_t{1} << (block_out_channels.size() - 1);
  }  // pixels per latent
};

// Called with the name and planes of an intermediate: "conv_in", "mid_block", "up0", "down3", ...
using PlanesTap = std::function<void(const std::string& name, ConstPlanes planes)>;

// What a decode may use beyond weights and the image unless told otherwise, in bytes.
inline constexpr std::size_t kDecodeBudget = 900'000'000;

// The most bytes of intermediates that decoding an image of that size, in pixels, has alive at once: what
// activation_bytes() will say. Above the budget where what must be whole and a few rows of the rest need
// more.
std::size_t decode_bytes(const AutoencoderConfig& config, std::int64_t height, std::int64_t width,
                         std::size_t budget = kDecodeBudget);

// The same of encoding one: maps are whole, so that nothing can be had for less.
std::size_t encode_bytes(const AutoencoderConfig& config, std::int64_t height, std::int64_t width);

// float32 throughout, as the models ask; weights in the type they are stored in.
class AutoencoderKL {
 public:
  // `folder` is <model>/vae. Maps the weights; checks every tensor's name and shape.
  AutoencoderKL(const std::filesystem::path& folder, Kernels& kernels);
  ~AutoencoderKL();

  // latents: [latent_channels, h, w] as the sampler leaves them; image: [out_channels, h*scale, w*scale],
  // about -1 to 1. Divides by scaling_factor and adds shift_factor first.
  // Large intermediates are kept as far as `budget` bytes allow and computed again where they do not; the
  // image is the same to the bit. 0 takes the least memory, SIZE_MAX the least time. With a tap, which sees
  // intermediates whole, there is no budget.
  void decode(ConstPlanes latents, Planes image, Run& run, const PlanesTap& tap = {},
              std::size_t budget = kDecodeBudget) const;

  // image: [in_channels, H, W] in -1..1, H and W multiples of scale; moments: [2*latent_channels, H/scale,
  // W/scale], mean then log variance (unclamped).
  void encode(ConstPlanes image, Planes moments, Run& run, const PlanesTap& tap = {}) const;
  // z = (mean + exp(clamp(logvar, -30, 20)/2) * noise - shift) * scaling; a null noise gives the mean.
  void sample(ConstPlanes moments, const float* noise, Planes latents) const;

  const AutoencoderConfig& config() const { return config_; }
  const WeightSet& weights() const { return weights_; }
  // Peak of memory beyond weights of the last decode or encode.
  std::size_t activation_bytes() const;

 private:
  struct Parts;
  AutoencoderConfig config_;
  WeightSet weights_;
  Kernels& kernels_;
  std::unique_ptr<Parts> parts_;
};

}  // namespace engines
