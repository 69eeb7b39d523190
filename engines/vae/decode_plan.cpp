// SPDX-License-Identifier: Apache-2.0
#include "engines/vae/decode_plan.h"

#include <algorithm>

#include "engines/vae/autoencoder_kl.h"

namespace engines {
namespace {

// As many rows as keep several threads busy, unless the window would be larger than this.
constexpr std::int64_t kStripRows = 32;
constexpr std::size_t kStripBytes = std::size_t{48} << 20;

std::size_t less(std::size_t budget, std::size_t used) {
  return budget > used ? budget - used : 0;
}

// Keeps all of `map` if `available` allows, else as much as is possible beside a window.
RowPlan plan_rows(const MapShape& map, std::int64_t strip, std::size_t available) {
  RowPlan plan{map, strip, map.height};
  if (plan.bytes() <= available) return plan;
  plan.kept = 0;
  plan.kept = static_cast<std::int64_t>(less(available, plan.bytes()) / map.row_bytes());
  return plan;
}

// After blocks.cpp: what apply_mid_block has alive at most.
std::size_t mid_block_bytes(const MapShape& x, bool with_attention) {
  return (with_attention ? 5 : 3) * x.bytes();
}

}  // namespace

std::int64_t RowPlan::window_rows() const {
  return std::min(strip + 2, map.height);
}

std::size_t RowPlan::bytes() const {
  return map.row_bytes() * static_cast<std::size_t>(kept + (whole() ? 0 : window_rows()));
}

std::int64_t strip_rows(const MapShape& map) {
  const auto fitting = static_cast<std::int64_t>(kStripBytes / map.row_bytes());
  return std::clamp<std::int64_t>(fitting, 1, kStripRows);
}

RowPlan plan_window(const MapShape& map, std::int64_t strip) {
  return {map, strip, 0};
}

BlockPlan plan_resnet(const MapShape& x, std::size_t budget) {
  const RowPlan middle = plan_rows(x, strip_rows(x), less(budget, x.bytes()));
  return {middle, x.bytes() + middle.bytes()};
}

BlockPlan plan_enlarged_resnet(const MapShape& small, const MapShape& out, std::size_t budget) {
  const MapShape larger = small.enlarged();
  const std::int64_t strip = std::min(strip_rows(larger), strip_rows(out));
  const std::size_t result = out.bytes() + plan_window(out, strip).bytes();
  // Once the enlarged map is there as a whole, the small one is not needed.
  const std::size_t peak_of_whole = larger.bytes() + std::max(small.bytes(), result);
  if (peak_of_whole <= budget) return {{larger, strip, larger.height}, peak_of_whole};
  RowPlan plan = plan_rows(larger, strip, less(budget, small.bytes() + result));
  return {plan, small.bytes() + plan.bytes() + result};
}

std::size_t decode_bytes(const AutoencoderConfig& config, std::int64_t height, std::int64_t width,
                         std::size_t budget) {
  const auto& widths = config.block_out_channels;
  MapShape x{config.latent_channels, height / config.scale(), width / config.scale()};
  std::size_t peak = config.use_post_quant_conv ? 2 * x.bytes() : 0;
  const std::size_t latents = x.bytes();
  x.channels = widths.back();
  peak = std::max({peak, latents + x.bytes(), mid_block_bytes(x, config.mid_block_add_attention)});
  for (auto channels = widths.rbegin(); channels != widths.rend(); ++channels) {
    if (channels != widths.rbegin()) {
      const MapShape out{*channels, 2 * x.height, 2 * x.width};
      const bool widens = *channels != x.channels;
      peak = std::max(peak, widens ? plan_enlarged_resnet(x, out, budget).peak : x.bytes() + out.bytes());
      x = out;
    }
    peak = std::max(peak, plan_resnet(x, budget).peak);
  }
  return peak;
}

// After blocks.cpp: of a resnet the term that is skipped, the map between the convolutions, and before it
// what the first reads or after it the result.
std::size_t encode_bytes(const AutoencoderConfig& config, std::int64_t height, std::int64_t width) {
  MapShape x{config.block_out_channels.front(), height, width};
  std::size_t peak = 0;
  for (std::size_t i = 0; i < config.block_out_channels.size(); ++i) {
    const MapShape out{config.block_out_channels[i], x.height, x.width};
    peak = std::max({peak, x.bytes() + 2 * out.bytes(), 3 * out.bytes()});
    x = out;
    if (i + 1 == config.block_out_channels.size()) break;
    const MapShape smaller{x.channels, x.height / 2, x.width / 2};
    peak = std::max(peak, x.bytes() + smaller.bytes());
    x = smaller;
  }
  const MapShape moments{2 * config.latent_channels, x.height, x.width};
  return std::max({peak, mid_block_bytes(x, config.mid_block_add_attention), x.bytes() + moments.bytes(),
                   (config.use_quant_conv ? 2 : 1) * moments.bytes()});
}

}  // namespace engines
