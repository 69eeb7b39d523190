// SPDX-License-Identifier: Apache-2.0
// The components of one model directory, checked against each other.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <vector>

#include "engines/diffusion/zimage_transformer.h"
#include "engines/pipeline/component.h"
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
  Parts(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options);

  Kernels& kernels;
  MemoryWish memory;
  SchedulerConfig scheduler;
  Tokenizer tokenizer;
  ChatTemplate chat_template;
  Component<Qwen3Encoder> encoder;
  Component<ZImageTransformer> transformer;
  AutoencoderKL vae;
  EmbeddingCache embeddings;
  std::uint64_t process_bytes;  // resident when all was opened and nothing computed

  // Pixels along one side of a latent, and of a token of the transformer: 8 and 16 for the published models.
  std::int64_t pixels_per_latent() const { return vae.config().scale(); }
  std::int64_t pixels_per_token() const {
    return pixels_per_latent() * transformer.described().config().patch_size;
  }

  // In the chat template, cut to 512 tokens after templating.
  EmbeddingCache::Ids tokenize(const std::string& prompt) const;

  // How a picture for captions of that many tokens (the second 0 without guidance) fits into memory; throws
  // OUT_OF_MEMORY with figures.
  MemoryPlan plan(const ImageRequest& request, std::size_t positive_tokens,
                  std::size_t negative_tokens) const;
  // What a picture of that size takes, for captions of that many tokens (the second 0 without guidance).
  MemoryNeeds needs(std::int64_t height, std::int64_t width, std::size_t positive_tokens,
                    std::size_t negative_tokens) const;

 private:
  void check_fit() const;
};

}  // namespace engines
