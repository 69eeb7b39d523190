// SPDX-License-Identifier: Apache-2.0
// The blocks of Qwen3 as free functions over a layer, after transformers' modeling_qwen3.py. Whoever batches
// several texts runs the products over all their rows at once, and `attend` for each text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/layers/linear.h"
#include "engines/text/kv_cache.h"
#include "engines/text/qwen3_config.h"

namespace engines::qwen3 {

struct Layer {
  std::vector<float> input_norm, post_attention_norm;  // [hidden_size]
  std::vector<float> q_norm, k_norm;                   // [head_dim]
  Linear q, k, v;                                      // [q_width or kv_width, hidden_size]
  Linear o;                                            // [hidden_size, q_width]
  Linear gate, up;                                     // [intermediate_size, hidden_size]
  Linear down;                                         // [hidden_size, intermediate_size]
};

// The layer whose tensors' names begin with `prefix`. `computed`: with its matrices as the set was asked for;
// a layer that is only checked has them as stored. Throws MODEL_INVALID by name.
Layer load_layer(WeightSet& weights, const Qwen3Config& config, const std::string& prefix, bool computed);

template <class Act>
void for_matrices(const Layer& layer, const Act& act) {
  for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down})
    act(linear->weight);
}

struct Rotation {
  Rows cos, sin;  // [tokens, head_dim / 2]
};

// The angles of the positions `first`, first + 1, ...
void fill_rotation(const Qwen3Config& config, std::int64_t first, const Rotation& rotation);

// What the blocks of one pass share. Scratch comes from the arena and goes back to it.
struct Pass {
  const Qwen3Config& config;
  Kernels& kernels;
  Arena& arena;
  Rotation rotation;               // a row for each token
  const KvCache* cache = nullptr;  // where keys and values are kept; null: nowhere, and there is no past
};

// q = rope(norm(q(n))), k = rope(norm(k(n))), v = v(n).  normed: [tokens, hidden_size]; q: [tokens, q_width];
// k, v: [tokens, kv_width], contiguous.
void project(const Pass& pass, const Layer& layer, ConstRows normed, Rows q, Rows k, Rows v);

// out[i] = what token i sees of the keys and values of the past and of tokens 0 to i; the last q.rows rows of
// `seen` are the tokens' own.  out, q: [tokens, q_width].
void attend(const Pass& pass, const Layer& layer, Rows out, ConstRows q, const KeyValues& seen);

// x += o(attend(project(norm(x)))).  x: [tokens, hidden_size]. `index`: of the layer in the cache.
void attention(const Pass& pass, const Layer& layer, std::int64_t index, Rows x);

// x += down(silu(gate(norm(x))) * up(norm(x))).  x: [tokens, hidden_size].
void feed_forward(const Pass& pass, const Layer& layer, Rows x);

// What the arena must hold: the rotation of so many tokens, and the blocks' scratch.
std::size_t scratch_floats(const Qwen3Config& config, std::int64_t tokens, bool cached);

}  // namespace engines::qwen3
