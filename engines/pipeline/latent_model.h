// SPDX-License-Identifier: Apache-2.0
// What latent diffusion is made of: a text encoder, a denoiser and an autoencoder of one model directory. An
// architecture brings the first two; generation and its costs are written over these interfaces.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engines/pipeline/component.h"
#include "engines/pipeline/embedding_cache.h"
#include "engines/pipeline/pipeline.h"
#include "engines/sampling/sampler.h"
#include "engines/vae/autoencoder_kl.h"

namespace engines {

// From a prompt to the rows that the denoiser attends to. One thread.
class PromptEncoder {
 public:
  using Ids = EmbeddingCache::Ids;

  virtual ~PromptEncoder() = default;
  // As the encoder reads them: in the architecture's template, cut to its length. INVALID_ARGUMENT for a
  // prompt that is not UTF-8.
  virtual Ids tokenize(const std::string& prompt) const = 0;
  // How many there are before they are cut; 0: not told.
  virtual std::size_t count_tokens(const std::string& /*prompt*/) const { return 0; }
  // Gets "hidden0", "hidden1", ...: the rows that enter the first layer, and what leaves each that is
  // computed.
  using Hidden = std::function<void(const std::string& name, ConstRows rows)>;
  // [rows(ids.size()), width()]. On a component that only describes itself (see Component::use) this is the
  // work on kernels that take notes. Throws CANCELLED between blocks.
  virtual FloatBuffer encode(const Ids& ids, Run& run, const Hidden& hidden) = 0;
  // The same with the weights as they are stored, for kernels that only take notes.
  virtual FloatBuffer rehearse(const Ids& ids, Run& run) const = 0;
  virtual std::int64_t rows(std::size_t tokens) const = 0;
  virtual std::int64_t width() const = 0;
  // Memory beyond weights that encoding that many tokens takes, the result included.
  virtual std::size_t activation_bytes(std::size_t tokens) const = 0;
  virtual ModelComponent& component() = 0;
};

// Predicts which way latents go. One thread.
class Denoiser {
 public:
  // One image's pass: everything that depends on sizes and the caption.
  class Session {
   public:
    virtual ~Session() = default;
    // latents and output: [channels(), h, w]; timestep as the schedule has it, 1000 to 0. Throws CANCELLED
    // between blocks.
    virtual void forward(ConstPlanes latents, float timestep, Planes output, Run& run) = 0;
    virtual std::size_t activation_bytes() const = 0;  // without scratch that another session lends
  };
  struct ActivationBytes {
    std::size_t kept = 0, scratch = 0;  // of one session; what sessions can share
  };

  virtual ~Denoiser() = default;
  virtual std::int64_t channels() const = 0;
  virtual std::int64_t patch_size() const = 0;  // latents along one side of a token
  // What makes the velocity of a step, noise - image, of the output: 1 or -1.
  virtual float direction() const = 0;
  // Throws INVALID_DIMENSION for latents of a size that it cannot do.
  virtual void check_size(std::int64_t h, std::int64_t w) const = 0;
  // caption: [rows, width], copied. The denoiser must outlive the session. A session whose forward never runs
  // at the same time may lend its scratch, where it is large enough.
  virtual std::unique_ptr<Session> begin(ConstRows caption, std::int64_t h, std::int64_t w,
                                         const Session* lender) = 0;
  // The same with the weights as they are stored, for kernels that only take notes.
  virtual std::unique_ptr<Session> rehearse(ConstRows caption, std::int64_t h, std::int64_t w) const = 0;
  virtual ActivationBytes activation_bytes(std::int64_t caption_rows, std::int64_t h,
                                           std::int64_t w) const = 0;
  virtual ModelComponent& component() = 0;
};

// The parts of one opened directory.
struct LatentModel {
  // Opens scheduler and vae; `encoder` and `denoiser` are the architecture's own. Throws MODEL_INVALID where
  // the channels of vae and denoiser differ.
  LatentModel(std::string architecture, const std::filesystem::path& directory, Kernels& kernels,
              const PipelineOptions& options, std::unique_ptr<PromptEncoder> encoder,
              std::unique_ptr<Denoiser> denoiser);

  std::string architecture;  // for describe
  Kernels& kernels;
  MemoryWish memory;
  SchedulerConfig scheduler;
  std::unique_ptr<PromptEncoder> encoder;
  std::unique_ptr<Denoiser> denoiser;
  AutoencoderKL vae;
  EmbeddingCache embeddings;
  std::uint64_t process_bytes;  // resident when all was opened and nothing computed

  // Pixels along one side of a latent, and of a token of the denoiser.
  std::int64_t pixels_per_latent() const { return vae.config().scale(); }
  std::int64_t pixels_per_token() const { return pixels_per_latent() * denoiser->patch_size(); }

  // The stages of a memory plan and its components, in their order.
  enum : std::size_t { encode, denoise, decode };
  enum : std::size_t { encoder_weights, denoiser_weights, vae_weights };

  // How an image for captions of that many tokens (the second 0 without guidance) fits into memory; throws
  // OUT_OF_MEMORY with figures.
  MemoryPlan plan(const ImageRequest& request, std::size_t positive_tokens,
                  std::size_t negative_tokens) const;
  // What that image takes, for captions of that many tokens (the second 0 without guidance).
  MemoryNeeds needs(const ImageRequest& request, std::size_t positive_tokens,
                    std::size_t negative_tokens) const;
};

// MODEL_INVALID unless `value` of `field` is what `other` expects.
void require_equal(std::string_view field, std::int64_t value, std::string_view other, std::int64_t expected);

}  // namespace engines
