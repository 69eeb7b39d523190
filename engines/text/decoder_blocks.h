// SPDX-License-Identifier: Apache-2.0
// The blocks of a decoder as free functions over a layer. Rows of several texts go through products and norms
// together, and through attention text by text.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/text/decoder_layer.h"
#include "engines/text/kv_pages.h"

namespace engines {

// Rows of one text in a pass: tokens past, past + 1, ... of it.
struct PassText {
  PagedText* pages = nullptr;  // with room for them
  std::int64_t past = 0;
  std::int64_t first_row = 0, rows = 0;  // of the pass
  bool is_long = false;                  // takes the long frequencies
};

struct Rotation {
  Rows cos, sin;  // [rows of the pass, rotary_dim / 2]
};

// What the blocks of one pass share. Scratch comes from the arena and goes back to it.
struct DecoderPass {
  const DecoderConfig& config;
  Kernels& kernels;
  Arena& arena;
  RowSums sums;  // alone: no row depends on the rows of other texts, by its bits
  std::span<const PassText> texts;
  std::vector<Rotation> rotations;  // by DecoderConfig::ropes
};

// Takes the rotations of all ropes from the arena and fills them.
void prepare_rotations(DecoderPass& pass, std::int64_t rows);

// y = linear(x), row by row where the pass says so.
void product(const DecoderPass& pass, const Linear& linear, Rows y, ConstRows x);

// x += o(attention(norm(x))).  x: [rows, hidden_size]. `index`: of the layer.
void attention_block(const DecoderPass& pass, const DecoderLayer& layer, std::int64_t index, Rows x);

// x += down(act(gate(norm(x))) * up(norm(x))).  x: [rows, hidden_size].
void feed_forward_block(const DecoderPass& pass, const DecoderLayer& layer, Rows x);

// What the arena must hold: the rotations of so many rows, and the blocks' scratch.
std::size_t decoder_scratch_floats(const DecoderConfig& config, std::int64_t rows);

}  // namespace engines
