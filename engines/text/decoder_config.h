// SPDX-License-Identifier: Apache-2.0
// The configuration of a causal language model: one record that describes every family of decoders.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engines/weights/config.h"

namespace engines {

enum class GateActivation { silu, gelu_tanh };

// Rotary position embeddings: pair p of position t is turned by t * frequencies[p]; both numbers of the turn
// (cosine and sine) are times `factor`.
struct Rope {
  std::vector<float> frequencies;  // [rotary_dim / 2]
  float factor = 1;
  // Where there are any: those of all positions of a text that is longer than `short_window` tokens.
  std::vector<float> long_frequencies;
  std::int64_t short_window = 0;
};

// What differs from layer to layer.
struct LayerKind {
  std::int64_t window = 0;  // a token sees so many, itself among them; 0: all
  std::size_t rope = 0;     // of DecoderConfig::ropes
};

struct DecoderConfig {
  std::string family;  // model_type
  std::int64_t hidden_size = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, intermediate_size = 0;
  std::int64_t vocab_size = 0, window = 0;
  std::int64_t rotary_dim = 0;  // the first so many of a head are turned
  double norm_eps = 1e-6;
  bool tied = false;                                        // the embedding is the logits head, too
  bool qkv_bias = false, o_bias = false, mlp_bias = false;  // what is added to the products
  bool qk_norms = false;                                    // of each head of q and k
  bool sandwich_norms = false;                              // of what attention and feed-forward give, too
  bool fused = false;                                       // q, k, v are one tensor, gate and up another
  bool neighbouring_pairs = false;                          // rotary pairs are 2p and 2p + 1
  float norm_offset = 0;                                    // is added to the weights of norms
  GateActivation activation = GateActivation::silu;
  float embedding_scale = 1, attention_scale = 0;
  float attention_softcap = 0, logits_softcap = 0;  // 0: none
  std::vector<Rope> ropes;
  std::vector<LayerKind> kinds;  // of each layer

  // `gguf`: the fields stand for the key-values of such a file, whose tensors lie as llama.cpp writes them.
  // Out-of-range fields and variants that are not computed here are MODEL_INVALID by field, value and what
  // was expected; a model type or class that is none of the table CAPABILITY_UNSUPPORTED.
  static DecoderConfig read(const Config& json, bool gguf);
  std::int64_t q_width() const { return heads * head_dim; }
  std::int64_t kv_width() const { return kv_heads * head_dim; }
  bool is_long(std::int64_t tokens) const;  // whether a text of so many tokens takes long_frequencies
};

}  // namespace engines
