// SPDX-License-Identifier: Apache-2.0
// Qwen3 as a text encoder: token ids to the second-to-last hidden state.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/tensor/run.h"
#include "engines/weights/config.h"
#include "engines/weights/safetensors.h"

namespace engines {

// text_encoder/config.json, old dialect (rope_theta, rope_scaling, torch_dtype) or new (rope_parameters,
// dtype).
struct Qwen3Config {
  std::int64_t hidden_size, layers, heads, kv_heads, head_dim, intermediate_size, vocab_size;
  double rms_norm_eps, rope_theta;

  static Qwen3Config read(const Config& json);
};

// Called with the name and rows of an intermediate: "hidden0", "hidden1", ... (as hidden_states of the
// reference).
using Tap = std::function<void(const std::string& name, ConstRows rows)>;

class Qwen3Encoder {
 public:
  // `folder` is <model>/text_encoder. Maps the weights; checks every tensor's name and shape.
  Qwen3Encoder(const std::filesystem::path& folder, Kernels& kernels);

  // Hidden states after layers - 1 layers, no final norm: [ids.size(), hidden_size]. An id outside the
  // embedding is MODEL_INVALID (the tokenizer does not fit the encoder).
  FloatBuffer encode(const std::vector<std::int32_t>& ids, Run& run, const Tap& tap = {}) const;

  const Qwen3Config& config() const { return config_; }
  const WeightSet& weights() const { return weights_; }

 private:
  struct Layer {
    std::vector<float> input_norm, post_attention_norm, q_norm, k_norm;
    WeightView q, k, v, o, gate, up, down;
  };
  Qwen3Config config_;
  WeightSet weights_;
  Kernels& kernels_;
  WeightView embedding_;
  std::vector<Layer> layers_;
};

}  // namespace engines
