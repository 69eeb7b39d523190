// SPDX-License-Identifier: Apache-2.0
// Decoders of every family as a language model.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/text/decoder_blocks.h"
#include "engines/text/language_model.h"

namespace engines {

struct DecoderFiles;

struct LanguageModelOptions {
  // Of the matrices of layers, not of embedding and head; weights.pool is used while opening only.
  WeightOptions weights{};
  Dtype cache = Dtype::f16;       // what keys and values are held as: f16 or f32
  std::uint64_t cache_limit = 0;  // in bytes, of all texts together; 0: none
};

class DecoderModel final : public LanguageModel {
 public:
  // `folder` has config.json and model.safetensors or its shards, or model.gguf alone. Maps the weights;
  // checks every tensor's name and shape, and that there are exactly the layers that the config says. Names
  // may lack the prefix "model.". `kernels` must outlive the model. Errors as DecoderConfig::read and
  // WeightSet have them.
  DecoderModel(const std::filesystem::path& folder, Kernels& kernels,
               const LanguageModelOptions& options = {});

  std::int64_t vocab_size() const override { return config_.vocab_size; }
  std::int64_t window() const override { return config_.window; }
  std::unique_ptr<TextState> make_state() override;
  std::uint64_t state_bytes(std::int64_t tokens) const override;
  std::uint64_t held_bytes() const override { return pool_->held_bytes(); }
  std::uint64_t weight_bytes() const override { return row_.all(); }
  std::uint64_t least_bytes() const { return row_.least(); }
  // Lets at most about `bytes` of mapped weights stay resident: layers beyond are given back after use.
  void keep_within(std::uint64_t bytes) { kept_ = row_.kept(bytes); }
  void forward(std::span<const TextRows> texts, Rows logits, Run& run) override;

  // The same, for the hidden states behind the final norm: [sum of wanted, hidden_size].
  void hidden(std::span<const TextRows> texts, Rows hidden, Run& run);

  const DecoderConfig& config() const { return config_; }
  const WeightSet& weights() const { return weights_; }

 private:
  class State;
  struct Part;
  DecoderModel(const DecoderFiles& files, const std::filesystem::path& folder, Kernels& kernels,
               const LanguageModelOptions& options);
  enum class Output { hidden, logits };

  void read(std::span<const TextRows> texts, Rows out, Output output, Run& run);
  std::vector<Part> parts_of(std::span<const TextRows> texts, Rows out) const;
  void compute(std::span<const Part> parts, RowSums sums, Output output, Run& run);
  void run_layers(const DecoderPass& pass, Rows x, Run& run) const;
  void finish(const DecoderPass& pass, std::span<const Part> parts, ConstRows x, Output output) const;
  void embed(Rows x, std::span<const std::int32_t> ids) const;
  void renew(State& state, bool is_long, Run& run);
  void cap_logits(Rows logits) const;
  Arena& arena_for(std::size_t floats, std::optional<Arena>& own);

  DecoderConfig config_;
  WeightSet weights_;
  WeightView embedding_;
  std::vector<DecoderLayer> layers_;
  std::vector<float> final_norm_;  // [hidden_size]
  Linear head_;
  BlockRow row_;                 // with the head as what always stays
  std::size_t kept_ = SIZE_MAX;  // layers that stay resident
  Kernels& kernels_;
  std::shared_ptr<PagePool> pool_;
  std::optional<Arena> arena_;  // of passes of few rows, kept from one to the next
};

}  // namespace engines
