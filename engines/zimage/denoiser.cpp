// SPDX-License-Identifier: Apache-2.0
#include "engines/zimage/denoiser.h"

namespace engines::zimage {
namespace {

constexpr float kTrainTimesteps = 1000;  // the pipeline's own, whatever the scheduler's config says

class ZImageSession final : public Denoiser::Session {
 public:
  explicit ZImageSession(std::unique_ptr<ZImageTransformer::Session> session)
      : session_(std::move(session)) {}

  // t = 1 - sigma, in float as the reference.
  void forward(ConstPlanes latents, float timestep, Planes output, Run& run) override {
    session_->forward(latents, (kTrainTimesteps - timestep) / kTrainTimesteps, output, run);
  }
  std::size_t activation_bytes() const override { return session_->activation_bytes(); }
  const ZImageTransformer::Session* inner() const { return session_.get(); }

 private:
  std::unique_ptr<ZImageTransformer::Session> session_;
};

}  // namespace

std::unique_ptr<Denoiser::Session> ZImageDenoiser::begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                                         const Session* lender) {
  const auto* other = lender == nullptr ? nullptr : static_cast<const ZImageSession*>(lender)->inner();
  return std::make_unique<ZImageSession>(transformer_.use().begin(caption, h, w, other));
}

std::unique_ptr<Denoiser::Session> ZImageDenoiser::rehearse(ConstRows caption, std::int64_t h,
                                                            std::int64_t w) const {
  return std::make_unique<ZImageSession>(transformer_.described().begin(caption, h, w));
}

Denoiser::ActivationBytes ZImageDenoiser::activation_bytes(std::int64_t caption_rows, std::int64_t h,
                                                           std::int64_t w) const {
  const auto bytes = transformer_.described().activation_bytes(caption_rows, h, w);
  return {bytes.kept, bytes.scratch};
}

}  // namespace engines::zimage
