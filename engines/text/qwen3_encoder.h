// SPDX-License-Identifier: Apache-2.0
// Qwen3 as a text encoder: token ids to a hidden state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/tensor/run.h"
#include "engines/weights/block_window.h"
#include "engines/weights/config.h"
#include "engines/weights/weight_set.h"

namespace engines {

// text_encoder/config.json, old dialect (rope_theta, rope_scaling, torch_dtype) or new (rope_parameters,
// dtype), or the key-values of a GGUF file.
struct Qwen3Config {
  std::int64_t hidden_size, layers, heads, kv_heads, head_dim, intermediate_size, vocab_size;
  double rms_norm_eps, rope_theta;

  // Out-of-range fields and variants that are not computed here (scaled rotary embeddings, attention biases,
  // sliding windows, another activation, quantised weights) are MODEL_INVALID by field name.
  static Qwen3Config read(const Config& json);
  std::int64_t q_width() const { return heads * head_dim; }
  std::int64_t kv_width() const { return kv_heads * head_dim; }
};

// Called with the name and rows of an intermediate: "hidden0", "hidden1", ... (as hidden_states of the
// reference).
using Tap = std::function<void(const std::string& name, ConstRows rows)>;

// Which hidden state an encoder gives.
enum class HiddenState {
  second_to_last,  // what enters the last layer, which is checked and not computed
  last             // behind all layers and the final norm
};

class Qwen3Encoder {
 public:
  // `folder` is <model>/text_encoder. Maps the weights; checks every tensor's name and shape, and that the
  // file has exactly the layers that the config says. Names may lack the prefix "model.", or be
  // llama.cpp's, whose GGUF files need no config.json. `kernels` must outlive the encoder. `options` are for
  // the matrices of the layers that are computed, not for the embedding; options.pool is used here only.
  Qwen3Encoder(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& options = {},
               HiddenState output = HiddenState::second_to_last);

  // What the weights of such an encoder would take (weights().total_bytes()), from headers; the same errors.
  static std::uint64_t weight_bytes(const std::filesystem::path& folder, const WeightOptions& options);

  // The hidden state that was asked for: [ids.size(), hidden_size]. An id outside the embedding is
  // MODEL_INVALID (the tokenizer does not fit the encoder).
  FloatBuffer encode(const std::vector<std::int32_t>& ids, Run& run, const Tap& tap = {}) const;

  // The weights that encoding reads, as held: the layers that are computed. The embedding is read row by row.
  std::uint64_t resident_bytes() const { return row_.all(); }
  std::uint64_t least_bytes() const { return row_.least(); }
  // Lets at most about `bytes` of mapped weights stay resident: layers beyond are given back after use.
  void keep_within(std::uint64_t bytes) { kept_ = row_.kept(bytes); }

  // Memory beyond weights that encoding `tokens` tokens takes, the result included.
  std::size_t activation_bytes(std::size_t tokens) const;

  const Qwen3Config& config() const { return config_; }
  const WeightSet& weights() const { return weights_; }

 private:
  // Shapes as stored: q [q_width, hidden], k and v [kv_width, hidden], o [hidden, q_width],
  // gate and up [intermediate, hidden], down [hidden, intermediate]; the norms of q and k are head_dim long.
  struct Layer {
    std::vector<float> input_norm, post_attention_norm, q_norm, k_norm;
    WeightView q, k, v, o, gate, up, down;
  };
  struct Rotation {
    ConstRows cos, sin;  // [tokens, head_dim / 2]
  };
  Layer load_layer(const std::string& prefix, bool computed);
  std::size_t scratch_floats(std::int64_t tokens) const;
  template <class Act>
  void for_matrices(const Layer& layer, const Act& act) const;
  void embed(Rows x, const std::vector<std::int32_t>& ids) const;
  Rotation rotation(std::int64_t tokens, Arena& arena) const;
  void attention(const Layer& w, Rows x, const Rotation& rotation, Arena& arena) const;
  void feed_forward(const Layer& w, Rows x, Arena& arena) const;

  Qwen3Config config_;
  WeightSet weights_;
  Kernels& kernels_;
  WeightView embedding_;
  std::vector<Layer> layers_;      // that are computed
  std::vector<float> final_norm_;  // empty for second_to_last
  BlockRow row_;
  std::size_t kept_ = SIZE_MAX;  // layers that stay resident
};

}  // namespace engines
