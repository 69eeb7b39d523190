// SPDX-License-Identifier: Apache-2.0
// One image on its way through the pipeline: encode, denoise, decode.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "engines/pipeline/guidance.h"
#include "engines/pipeline/init_latents.h"
#include "engines/pipeline/latent_model.h"

namespace engines {

class Generation {
 public:
  using Embeddings = std::shared_ptr<const FloatBuffer>;  // [tokens, hidden_size]

  // All arguments must outlive the generation; the request is valid (see check_request).
  Generation(LatentModel& model, const ImageRequest& request, Run& run, const PipelineTaps& taps);

  // Throws INVALID_ARGUMENT or CAPABILITY_UNSUPPORTED before anything is computed, then as
  // ImagePipeline::generate says.
  Image image();

 private:
  struct Prediction;

  using Ids = EmbeddingCache::Ids;

  void encode_prompts();
  Embeddings encode(const Ids& ids, bool negative, std::size_t& activation_bytes);
  // Runs `load` and tells how long it took, as a stage of its own.
  template <class Load>
  void load(const Load& load);
  ConstRows rows_of(const Embeddings& embeddings) const;
  std::uint64_t encode_init();
  void draw_noise();
  Prediction begin_sessions() const;
  void denoise();
  void predict(std::size_t step, Prediction& prediction);
  // `step` counts those that are done.
  void show_step(std::size_t step, const Prediction& prediction) const;
  float time_of(std::size_t step) const;  // t = 1 - sigma
  ConstPlanes latents() const;
  Image decode();

  LatentModel& model_;
  const ImageRequest& request_;
  Run& run_;
  const PipelineTaps& taps_;
  const Guidance guidance_;
  const Schedule schedule_;
  const std::size_t first_step_;  // of the schedule, that is done
  TorchGenerator generator_;
  const bool guided_;
  const Ids positive_ids_, negative_ids_;  // the second empty without guidance
  const MemoryPlan plan_;
  Embeddings positive_, negative_;
  std::optional<InitLatents> init_;
  const std::int64_t height_, width_;  // of the latents
  FloatBuffer latents_;                // [in_channels, height_, width_]
};

}  // namespace engines
