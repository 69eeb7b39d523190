// SPDX-License-Identifier: Apache-2.0
// The embedding and the layers of a Qwen3 model: what an encoder and a language model have in common.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "engines/tensor/run.h"
#include "engines/text/qwen3_blocks.h"
#include "engines/weights/block_window.h"
#include "engines/weights/weight_set.h"

namespace engines {

// Called with the name and rows of an intermediate: "hidden0", "hidden1", ... (as hidden_states of the
// reference: the embedding, then the output of each layer, the last one behind the final norm).
using Tap = std::function<void(const std::string& name, ConstRows rows)>;

// The hidden state that a stack computes.
enum class HiddenState {
  second_to_last,  // what enters the last layer, which is checked and not computed
  last             // behind all layers and the final norm
};

namespace qwen3 {

class Stack {
 public:
  // `folder` has config.json and model.safetensors, its shards or model.gguf; `place` is what it is called in
  // messages, empty for a model directory itself. Maps the weights; checks every tensor's name and shape, and
  // that the file has exactly the layers that the config says. Names may lack the prefix "model.", or be
  // llama.cpp's, whose GGUF files need no config.json. `options` are for the matrices of the layers that are
  // computed, not for the embedding; options.pool is used here only.
  Stack(const std::filesystem::path& folder, std::string place, const WeightOptions& options,
        HiddenState output);

  // x[i] = the embedding of ids[i]. An id outside the embedding is MODEL_INVALID (the tokenizer does not
  // fit).
  void embed(Rows x, const std::vector<std::int32_t>& ids) const;

  // x, the embeddings, becomes the hidden state. Of a pass with a cache the tokens come behind those in it,
  // and the cache is not advanced; without one they are the whole text. pass.rotation is filled here. Throws
  // CANCELLED between layers.
  void run(Rows x, Kernels& kernels, const KvCache* cache, Run& run, const Tap& tap) const;
  // Memory that `run` takes for itself.
  std::size_t scratch_bytes(std::int64_t tokens, bool cached) const {
    return scratch_floats(config_, tokens, cached) * sizeof(float);
  }

  // The product that makes logits of a hidden state: lm_head, or the embedding where the config ties them.
  Linear head() const;

  // The layers that are computed, as held; the embedding is read row by row.
  const BlockRow& row() const { return row_; }
  // Layers beyond the first so many are given back after use.
  void keep(std::size_t layers) { kept_ = layers; }

  const Qwen3Config& config() const { return config_; }
  const WeightSet& weights() const { return weights_; }

 private:
  std::string place_;
  Qwen3Config config_;
  WeightSet weights_;
  WeightView embedding_;
  std::vector<Layer> layers_;      // that are computed
  std::vector<float> final_norm_;  // [hidden_size]; empty for second_to_last
  BlockRow row_;
  std::size_t kept_ = SIZE_MAX;  // layers that stay resident
};

}  // namespace qwen3
}  // namespace engines
