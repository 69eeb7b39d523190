// SPDX-License-Identifier: Apache-2.0
// Encoders of the BERT family as embedding models.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engines/layers/linear.h"
#include "engines/text/embedding_model.h"
#include "engines/text/encoder_config.h"
#include "engines/text/rope_scaling.h"

namespace engines {

// Where its files lie and what they say.
struct EncoderFiles {
  std::filesystem::path folder;
  std::string stem;  // of the weight files
  const EncoderFamily* family = nullptr;
  EncoderConfig config;
  bool gguf = false;
};

class EncoderModel final : public EmbeddingModel {
 public:
  EncoderModel(const EncoderFiles& files, Kernels& kernels, const WeightOptions& options);

  std::int64_t width() const override { return config_.hidden_size; }
  std::int64_t window() const override { return config_.window(); }
  std::uint64_t weight_bytes() const override { return weights_.total_bytes(); }
  std::vector<float> embed(std::span<const std::int32_t> ids, Run& run) override;

 private:
  struct Norm {
    std::vector<float> scale, shift;
  };
  struct Layer {
    Linear q, k, v, o, up, gate, down;  // gate only where the feed-forward is gated
    Norm attention_norm, out_norm;
  };

  Norm load_norm_of(const std::string& name) const;
  Layer load_layer_of(const EncoderNames& names, const std::string& prefix);
  void put_embeddings(Rows x, std::span<const std::int32_t> ids) const;
  void apply_norm(const Norm& norm, Rows x) const;
  void attend(const Layer& layer, Arena& arena, Rows x) const;
  void feed_forward(const Layer& layer, Arena& arena, Rows x) const;
  std::size_t scratch_floats(std::int64_t tokens) const;

  EncoderConfig config_;
  Pooling pooling_;
  WeightSet weights_;
  WeightView words_, types_, positions_;  // without data where there are none
  Norm norm_;
  std::vector<Layer> layers_;
  Rope rope_;
  Kernels& kernels_;
};

}  // namespace engines
