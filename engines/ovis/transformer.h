// SPDX-License-Identifier: Apache-2.0
// OvisImageTransformer2DModel: the diffusion transformer of Ovis-Image, over its files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "engines/ovis/session.h"

namespace engines::ovis {

class OvisTransformer {
 public:
  // `folder` is <model>/transformer. Maps the weights; checks every tensor's name and shape, and that the
  // file has no more blocks than the config says. `kernels` must outlive the transformer. `options` are for
  // the matrices of the blocks (attention, feed-forward, modulation); options.pool is used here only.
  OvisTransformer(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& options = {});

  // caption: [rows, caption_width], the encoder's output, copied; h and w: of the latents, see check_size. A
  // caption of another width is INVALID_ARGUMENT. The transformer must outlive the session. A session whose
  // forward never runs at the same time may lend its scratch, where it is large enough.
  std::unique_ptr<OvisSession> begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                     const OvisSession* lender = nullptr) const;

  // What a session for such a caption and image needs.
  Denoiser::ActivationBytes activation_bytes(std::int64_t caption_rows, std::int64_t h, std::int64_t w) const;

  // The weights, as held.
  std::uint64_t resident_bytes() const { return double_row_.all() + single_row_.all(); }
  std::uint64_t least_bytes() const { return double_row_.least() + single_row_.least(); }
  // Lets at most about `bytes` of mapped weights stay resident: blocks beyond are given back after use,
  // single ones first.
  void keep_within(std::uint64_t bytes);

  // Throws INVALID_DIMENSION unless h and w are positive multiples of 2.
  void check_size(std::int64_t h, std::int64_t w) const;

  const OvisConfig& config() const { return config_; }
  const WeightSet& weights() const { return weights_; }

 private:
  OvisConfig config_;
  WeightSet weights_;
  Kernels& kernels_;
  OvisWeights parts_;
  BlockRow double_row_, single_row_;  // what lies beside all blocks counts with the first
  KeptBlocks kept_;
};

}  // namespace engines::ovis
