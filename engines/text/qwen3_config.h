// SPDX-License-Identifier: Apache-2.0
// The configuration of a Qwen3 model.
#pragma once

#include <cstdint>

#include "engines/weights/config.h"

namespace engines {

// config.json, old dialect (rope_theta, rope_scaling, torch_dtype) or new (rope_parameters, dtype), or the
// key-values of a GGUF file.
struct Qwen3Config {
  std::int64_t hidden_size, layers, heads, kv_heads, head_dim, intermediate_size, vocab_size;
  double rms_norm_eps, rope_theta;
  bool tied;  // the embedding is the logits head, too

  // Out-of-range fields and variants that are not computed here (scaled rotary embeddings, attention biases,
  // sliding windows, another activation, quantised weights) are MODEL_INVALID by field name.
  static Qwen3Config read(const Config& json);
  std::int64_t q_width() const { return heads * head_dim; }
  std::int64_t kv_width() const { return kv_heads * head_dim; }
};

}  // namespace engines
