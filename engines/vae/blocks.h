// SPDX-License-Identifier: Apache-2.0
// The blocks of an AutoencoderKL on whole maps: all of the encoder, and the decoder's smallest level. Each
// takes its input by value and frees it as soon as it has been read for the last time: at most three planes
// of a level are alive at once.
#pragma once

#include "engines/kernels/kernels.h"
#include "engines/tensor/run.h"
#include "engines/vae/activations.h"
#include "engines/vae/autoencoder_weights.h"

namespace engines {

inline constexpr float kNormEps = 1e-6F;

// What every block needs.
struct BlockContext {
  Kernels& kernels;
  std::int64_t groups;  // of all group norms
  MemoryCount& memory;
  Run& run;  // asked before each block whether to stop
};

Activation convolve(const BlockContext& context, const Conv& conv, ConstPlanes x);
void group_norm(const BlockContext& context, const Norm& norm, Planes y, ConstPlanes x, bool silu);

// x + conv2(silu(norm2(conv1(silu(norm1(x)))))), x through the shortcut where channels change.
Activation apply_resnet(const BlockContext& context, const Resnet& resnet, Activation x);
// x + out(softmax(q k^T / sqrt(C)) v) over H*W tokens of C channels, one head, q, k and v of norm(x).
Activation apply_attention(const BlockContext& context, const SpatialAttention& attention, Activation x);
Activation apply_mid_block(const BlockContext& context, const MidBlock& mid, Activation x);
Activation apply_down_level(const BlockContext& context, const Level& level, Activation x);

}  // namespace engines
