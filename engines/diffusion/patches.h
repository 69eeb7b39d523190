// SPDX-License-Identifier: Apache-2.0
// Between an image of latents and the transformer's tokens, 2 x 2 latents each.
#pragma once

#include "engines/tensor/tensor.h"

namespace engines {

constexpr std::int64_t kPatch = 2;

// How a token holds its latents, the last fastest.
enum class PatchOrder {
  channel_last,  // row, column, channel
  channel_first  // channel, row, column
};

// tokens: [at least h/2 * w/2, 4 * channels]; token (r, c) is row r * w/2 + c. Rows beyond the image repeat
// its last token.
void patchify(ConstPlanes latents, Rows tokens, PatchOrder order);

// The inverse; rows beyond the image are not read.
void unpatchify(ConstRows tokens, Planes latents, PatchOrder order);

}  // namespace engines
