// SPDX-License-Identifier: Apache-2.0
// The components of one model directory, checked against each other.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "engines/diffusion/zimage_transformer.h"
#include "engines/pipeline/zimage_pipeline.h"
#include "engines/sampling/sampler.h"
#include "engines/text/qwen3_encoder.h"
#include "engines/tokenizer/chat_template.h"
#include "engines/tokenizer/tokenizer.h"
#include "engines/vae/autoencoder_kl.h"

namespace engines {

// The encoder's output for the last few prompts, newest first: another seed of the same prompt needs no
// encoder.
class EmbeddingCache {
 public:
  using Ids = std::vector<std::int32_t>;

  std::shared_ptr<const FloatBuffer> find(const Ids& ids);
  void keep(const Ids& ids, std::shared_ptr<const FloatBuffer> embeddings);

 private:
  static constexpr std::size_t kPrompts = 4;  // two pictures' prompts and negative prompts
  std::list<std::pair<Ids, std::shared_ptr<const FloatBuffer>>> entries_;
};

struct ZImagePipeline::Parts {
  Parts(const std::filesystem::path& directory, Kernels& kernels);

  Kernels& kernels;
  SchedulerConfig scheduler;
  Tokenizer tokenizer;
  ChatTemplate chat_template;
  Qwen3Encoder encoder;
  ZImageTransformer transformer;
  AutoencoderKL vae;
  EmbeddingCache embeddings;

  // Pixels along one side of a latent, and of a token of the transformer: 8 and 16 for the published models.
  std::int64_t pixels_per_latent() const { return vae.config().scale(); }
  std::int64_t pixels_per_token() const { return pixels_per_latent() * transformer.config().patch_size; }

 private:
  void check_fit() const;
};

}  // namespace engines
