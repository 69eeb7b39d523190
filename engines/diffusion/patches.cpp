// SPDX-License-Identifier: Apache-2.0
#include "engines/diffusion/patches.h"

#include <algorithm>

namespace engines {
namespace {

// Calls visit(token, column of the token, channel, offset in the plane) for every latent.
template <class Visit>
void for_each_latent(std::int64_t channels, std::int64_t height, std::int64_t width, PatchOrder order,
                     Visit visit) {
  const bool last = order == PatchOrder::channel_last;
  const std::int64_t place_step = last ? channels : 1;
  const std::int64_t channel_step = last ? 1 : kPatch * kPatch;
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const std::int64_t token = (y / kPatch) * (width / kPatch) + x / kPatch;
      const std::int64_t first = ((y % kPatch) * kPatch + x % kPatch) * place_step;
      for (std::int64_t c = 0; c < channels; ++c)
        visit(token, first + c * channel_step, c, y * width + x);
    }
  }
}

}  // namespace

void patchify(ConstPlanes latents, Rows tokens, PatchOrder order) {
  for_each_latent(latents.channels, latents.height, latents.width, order,
                  [&](std::int64_t token, std::int64_t column, std::int64_t channel, std::int64_t offset) {
                    tokens.row(token)[column] = latents.plane(channel)[offset];
                  });
  const std::int64_t count = latents.plane_size() / (kPatch * kPatch);
  for (std::int64_t r = count; r < tokens.rows; ++r)
    std::copy_n(tokens.row(count - 1), tokens.cols, tokens.row(r));
}

void unpatchify(ConstRows tokens, Planes latents, PatchOrder order) {
  for_each_latent(latents.channels, latents.height, latents.width, order,
                  [&](std::int64_t token, std::int64_t column, std::int64_t channel, std::int64_t offset) {
                    latents.plane(channel)[offset] = tokens.row(token)[column];
                  });
}

}  // namespace engines
