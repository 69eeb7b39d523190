// SPDX-License-Identifier: Apache-2.0
#include "engines/diffusion/zimage_transformer.h"

#include <fmt/format.h>

#include "engines/diffusion/patches.h"
#include "engines/diffusion/zimage_names.h"
#include "engines/diffusion/zimage_session.h"
#include "engines/diffusion/zimage_weights.h"

namespace engines {
namespace {

constexpr std::int64_t kTokenMultiple = 32;

std::int64_t padded(std::int64_t tokens) {
  return (tokens + kTokenMultiple - 1) / kTokenMultiple * kTokenMultiple;
}

TokenCounts count_tokens(std::int64_t caption, std::int64_t h, std::int64_t w) {
  const std::int64_t image = (h / kPatch) * (w / kPatch);
  return {image, padded(image), caption, padded(caption)};
}

void check_side(const char* name, std::int64_t latents, std::int64_t longest) {
  if (latents < kPatch || latents % kPatch != 0) {
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("{}: {} latents, expected a positive multiple of {}", name, latents, kPatch));
  }
  if (latents / kPatch > longest) {
    throw Error(RH_INVALID_DIMENSION, fmt::format("{}: {} latents, the model's positions end at {}", name,
                                                  latents, longest * kPatch));
  }
}

// Positions on the time axis go up to caption_padded + 1, where the image lies.
void check_caption(ConstRows caption, const ZImageTransformerConfig& config) {
  if (caption.rows < 1) throw Error(RH_INVALID_ARGUMENT, "the caption is empty, expected 1 token or more");
  if (caption.cols != config.cap_feat_dim) {
    throw Error(RH_INVALID_ARGUMENT, fmt::format("the caption's features are {} wide, expected {}",
                                                 caption.cols, config.cap_feat_dim));
  }
  const std::int64_t needed = padded(caption.rows) + 2;
  if (needed > config.axes_lens[0]) {
    throw Error(RH_INVALID_DIMENSION,
                fmt::format("a caption of {} tokens needs {} positions, the model has {}", caption.rows,
                            needed, config.axes_lens[0]));
  }
}

}  // namespace

ZImageTransformer::ZImageTransformer(const std::filesystem::path& folder, Kernels& kernels,
                                     const WeightOptions& options)
    : config_(ZImageTransformerConfig::read(Config::read(folder / "config.json", "transformer/config.json"))),
      weights_(folder, "diffusion_pytorch_model", options, zimage_names()),
      kernels_(kernels),
      parts_(std::make_unique<Parts>(weights_, config_)) {
  row_ = weights_.block_row("layers.", parts_->layers.size(),
                            weights_.total_bytes() - weights_.bytes_under("layers."));
}

ZImageTransformer::~ZImageTransformer() = default;

std::uint64_t ZImageTransformer::weight_bytes(const std::filesystem::path& folder,
                                              const WeightOptions& options) {
  const auto kernels = make_reference_kernels();
  return ZImageTransformer(folder, *kernels, {.matrices = options.matrices, .plan_only = true})
      .weights()
      .total_bytes();
}

void ZImageTransformer::check_size(std::int64_t h, std::int64_t w) const {
  check_side("height", h, config_.axes_lens[1]);
  check_side("width", w, config_.axes_lens[2]);
}

std::unique_ptr<ZImageTransformer::Session> ZImageTransformer::begin(ConstRows caption, std::int64_t h,
                                                                     std::int64_t w,
                                                                     const Session* lender) const {
  check_size(h, w);
  check_caption(caption, config_);
  const Session::Model model{config_, *parts_, weights_, kept_, kernels_};
  return std::unique_ptr<Session>(new Session(std::make_unique<Session::State>(
      model, caption, h, w, count_tokens(caption.rows, h, w), lender ? lender->state_->scratch : nullptr)));
}

ZImageTransformer::ActivationBytes ZImageTransformer::activation_bytes(std::int64_t caption_tokens,
                                                                       std::int64_t h, std::int64_t w) const {
  const ArenaFloats floats = arena_floats(config_, count_tokens(caption_tokens, h, w));
  return {floats.kept * sizeof(float), floats.scratch * sizeof(float)};
}

ZImageTransformer::Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {
}
ZImageTransformer::Session::~Session() = default;

void ZImageTransformer::Session::forward(ConstPlanes latents, double t, Planes velocity, Run& run,
                                         const Tap& tap) {
  state_->forward(latents, t, velocity, run, tap);
}

std::size_t ZImageTransformer::Session::activation_bytes() const {
  return state_->activation_bytes();
}

}  // namespace engines
