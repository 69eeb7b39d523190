// SPDX-License-Identifier: Apache-2.0
// The two kinds of block of OvisImageTransformer2DModel, after Flux (Black Forest Labs 2024) with SwiGLU in
// the feed-forward parts: double blocks have weights of their own for caption and image, single blocks one
// set for both; all tokens attend to all.
#pragma once

#include "engines/kernels/kernels.h"
#include "engines/ovis/weights.h"
#include "engines/tensor/counting_arena.h"

namespace engines::ovis {

struct Rotation {
  Rows cos, sin;  // [tokens, head_dim / 2]
};

// What every block of a pass works with. Tokens are [caption | image].
struct Pass {
  const OvisConfig& config;
  Kernels& kernels;
  Arena& scratch;  // block_scratch floats or more
  Rotation rotation;
  ConstRows time;   // [1, dim]: silu of the embedded timestep
  Rows modulation;  // [kModulationRows, dim], for what a block makes of it
};
inline constexpr std::int64_t kModulationRows = 12;

struct TokenCounts {
  std::int64_t caption = 0, image = 0;
  std::int64_t all() const { return caption + image; }
};

// Both change x [tokens, dim] in place.
void run_block(const Pass& pass, const DoubleBlock& block, Rows x, const TokenCounts& tokens);
void run_block(const Pass& pass, const SingleBlock& block, Rows x, const TokenCounts& tokens);

// How much of Pass::scratch a block of either kind takes, in floats.
std::size_t block_scratch(const OvisConfig& config, const TokenCounts& tokens);

// What a modulation projects to, for one branch of a block: [3, dim] of shift, scale and gate. The scale
// comes as what it is more than 1.
struct Branch {
  const float *shift, *scale, *gate;
};
Branch branch_of(Rows rows);

}  // namespace engines::ovis
