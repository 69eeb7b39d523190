// SPDX-License-Identifier: Apache-2.0
// The tensors of one layer of a decoder, whatever its family calls them.
#pragma once

#include <string>
#include <vector>

#include "engines/layers/linear.h"
#include "engines/text/decoder_config.h"

namespace engines {

struct DecoderLayer {
  std::vector<float> attention_norm, feed_forward_norm;          // before; [hidden_size]
  std::vector<float> attention_out_norm, feed_forward_out_norm;  // behind; empty where there is none
  std::vector<float> q_norm, k_norm;                             // [head_dim], or empty
  Linear q, k, v;                                                // [q_width or kv_width, hidden_size]
  Linear o;                                                      // [hidden_size, q_width]
  Linear gate, up;                                               // [intermediate_size, hidden_size]
  Linear down;                                                   // [hidden_size, intermediate_size]
};

// The layer whose tensors' names begin with `prefix`. Throws MODEL_INVALID by name.
DecoderLayer load_decoder_layer(WeightSet& weights, const DecoderConfig& config, const std::string& prefix);

// The weights of a norm, with what the family adds to them.
std::vector<float> load_norm(const WeightSet& weights, const DecoderConfig& config, const std::string& name,
                             std::int64_t size);

template <class Act>
void for_matrices(const DecoderLayer& layer, const Act& act) {
  for (const Linear* linear : {&layer.q, &layer.k, &layer.v, &layer.o, &layer.gate, &layer.up, &layer.down})
    act(linear->weight);
}

}  // namespace engines
