// SPDX-License-Identifier: Apache-2.0
// An image's costs: the model runs on kernels that only take notes, and slices of what was noted are timed.
#pragma once

#include "engines/kernels/costing/recording_kernels.h"
#include "engines/kernels/costing/timing.h"
#include "engines/pipeline/image_cost.h"
#include "engines/pipeline/latent_model.h"

namespace engines {

class Rehearsal {
 public:
  // `model` was opened over probe.notes; all must outlive it, and the request is valid (see check_request).
  // Throws INVALID_DIMENSION, OUT_OF_MEMORY.
  Rehearsal(LatentModel& model, const PipelineOptions& options, const ImageRequest& request,
            const CostProbe& probe, Run& run);
  // About a second for a model of full width. Files are taken to be in the page cache.
  ImageCost cost();

 private:
  double rounding_seconds() const;
  // Takes the notes since the last time, `times` over.
  void add(StageCost& stage, WorkTimer& timer, double times = 1);
  // With its memory, and no work yet.
  StageCost planned(Stage stage, std::size_t index) const;
  StageCost encode();
  void encode_init(StageCost& stage);
  StageCost denoise();
  StageCost decode();

  LatentModel& model_;
  const PipelineOptions& options_;
  const ImageRequest& request_;
  const CostProbe& probe_;
  Run& run_;
  WorkTimer timer_, exact_timer_;
  const std::int64_t height_, width_;  // of the latents
  EmbeddingCache::Ids positive_, negative_;
  MemoryPlan plan_;
};

}  // namespace engines
