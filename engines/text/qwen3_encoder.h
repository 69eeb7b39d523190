// SPDX-License-Identifier: Apache-2.0
// Qwen3 as a text encoder: token ids to a hidden state.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engines/text/qwen3_stack.h"

namespace engines {

class Qwen3Encoder {
 public:
  // `folder` is <model>/text_encoder; files, checks and options as qwen3::Stack has them. `kernels` must
  // outlive the encoder.
  Qwen3Encoder(const std::filesystem::path& folder, Kernels& kernels, const WeightOptions& options = {},
               HiddenState output = HiddenState::second_to_last);

  // What the weights of such an encoder would take (weights().total_bytes()), from headers; the same errors.
  static std::uint64_t weight_bytes(const std::filesystem::path& folder, const WeightOptions& options);

  // The hidden state that was asked for: [ids.size(), hidden_size]. An id outside the embedding is
  // MODEL_INVALID (the tokenizer does not fit the encoder).
  FloatBuffer encode(const std::vector<std::int32_t>& ids, Run& run, const Tap& tap = {}) const;

  // The weights that encoding reads, as held: the layers that are computed. The embedding is read row by row.
  std::uint64_t resident_bytes() const { return stack_.row().all(); }
  std::uint64_t least_bytes() const { return stack_.row().least(); }
  // Lets at most about `bytes` of mapped weights stay resident: layers beyond are given back after use.
  void keep_within(std::uint64_t bytes) { stack_.keep(stack_.row().kept(bytes)); }

  // Memory beyond weights that encoding `tokens` tokens takes, the result included.
  std::size_t activation_bytes(std::size_t tokens) const;

  const Qwen3Config& config() const { return stack_.config(); }
  const WeightSet& weights() const { return stack_.weights(); }

 private:
  qwen3::Stack stack_;
  Kernels& kernels_;
};

}  // namespace engines
