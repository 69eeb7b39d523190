// SPDX-License-Identifier: Apache-2.0
#include "engines/ovis/denoiser.h"

namespace engines::ovis {

OvisDenoiser::OvisDenoiser(const std::filesystem::path& directory, Kernels& kernels,
                           const PipelineOptions& options)
    : transformer_(directory / "transformer", kernels, options.of_denoiser(), options.threads) {
}

std::unique_ptr<Denoiser::Session> OvisDenoiser::begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                                       const Session* lender) {
  return transformer_.use().begin(caption, h, w, static_cast<const OvisSession*>(lender));
}

std::unique_ptr<Denoiser::Session> OvisDenoiser::rehearse(ConstRows caption, std::int64_t h,
                                                          std::int64_t w) const {
  return transformer_.described().begin(caption, h, w);
}

Denoiser::ActivationBytes OvisDenoiser::activation_bytes(std::int64_t caption_rows, std::int64_t h,
                                                         std::int64_t w) const {
  return transformer_.described().activation_bytes(caption_rows, h, w);
}

}  // namespace engines::ovis
