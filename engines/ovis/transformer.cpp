// SPDX-License-Identifier: Apache-2.0
#include "engines/ovis/transformer.h"

#include <fmt/format.h>

#include "engines/diffusion/patches.h"
#include "engines/tensor/error.h"

namespace engines::ovis {
namespace {

constexpr const char* kDoubleBlocks = "transformer_blocks.";
constexpr const char* kSingleBlocks = "single_transformer_blocks.";

void check_side(const char* name, std::int64_t latents) {
  if (latents > 0 && latents % kPatch == 0) return;
  throw Error(RH_INVALID_DIMENSION,
              fmt::format("{}: {} latents, expected a positive multiple of {}", name, latents, kPatch));
}

void check_caption(ConstRows caption, const OvisConfig& config) {
  if (caption.rows < 1) throw Error(RH_INVALID_ARGUMENT, "the caption is empty, expected 1 token or more");
  if (caption.cols == config.caption_width) return;
  throw Error(RH_INVALID_ARGUMENT, fmt::format("the caption's features are {} wide, expected {}",
                                               caption.cols, config.caption_width));
}

}  // namespace

OvisTransformer::OvisTransformer(const std::filesystem::path& folder, Kernels& kernels,
                                 const WeightOptions& options)
    : config_(OvisConfig::read(Config::read(folder / "config.json", "transformer/config.json"))),
      weights_(folder, "diffusion_pytorch_model", options),
      kernels_(kernels),
      parts_(weights_, config_) {
  const std::uint64_t beside =
      weights_.total_bytes() - weights_.bytes_under(kDoubleBlocks) - weights_.bytes_under(kSingleBlocks);
  double_row_ = weights_.block_row(kDoubleBlocks, parts_.double_blocks.size(), beside);
  single_row_ = weights_.block_row(kSingleBlocks, parts_.single_blocks.size(), 0);
}

void OvisTransformer::check_size(std::int64_t h, std::int64_t w) const {
  check_side("height", h);
  check_side("width", w);
}

std::unique_ptr<OvisSession> OvisTransformer::begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                                    const OvisSession* lender) const {
  check_size(h, w);
  check_caption(caption, config_);
  return std::make_unique<OvisSession>(SessionModel{config_, parts_, weights_, kept_, kernels_}, caption, h,
                                       w, lender == nullptr ? nullptr : lender->scratch());
}

Denoiser::ActivationBytes OvisTransformer::activation_bytes(std::int64_t caption_rows, std::int64_t h,
                                                            std::int64_t w) const {
  return OvisSession::bytes(config_, {caption_rows, image_tokens(h, w)});
}

void OvisTransformer::keep_within(std::uint64_t bytes) {
  const auto less = [](std::uint64_t from, std::uint64_t taken) { return from > taken ? from - taken : 0; };
  const std::uint64_t for_double = less(bytes, single_row_.least());
  kept_.double_blocks = double_row_.kept(for_double);
  const bool all = kept_.double_blocks == double_row_.count;
  kept_.single_blocks = single_row_.kept(less(bytes, all ? double_row_.all() : for_double));
}

}  // namespace engines::ovis
