// SPDX-License-Identifier: Apache-2.0
// What every opened model directory offers, whatever its architecture.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engines/kernels/kernels.h"
#include "engines/pipeline/image_cost.h"
#include "engines/pipeline/memory_plan.h"
#include "engines/tensor/run.h"

namespace engines {

// An image to begin with, of the request's size.
struct InitImage {
  std::vector<float> rgb;          // 3 floats a pixel, interleaved, rows from the top, 0 to 1
  std::vector<std::uint8_t> mask;  // a byte a pixel: 128 and more is drawn anew; empty: all of it is
  // Above 0, up to 1: the share of the steps that is done, the last ones. 1 leaves nothing of what is drawn
  // anew.
  double strength = 1;
};

// Values out of range are INVALID_DIMENSION (sizes) or INVALID_ARGUMENT, naming the member.
struct ImageRequest {
  std::string prompt;
  std::string negative_prompt;  // empty = none: with guidance the empty prompt is encoded
  // 16 to 2048, multiples of a token's pixels (16 for the published models)
  std::int64_t width = 0, height = 0;
  std::int64_t steps = 8;        // 1 to 1000
  double guidance = 0;           // 0 = off; the usual scale is one more
  double cfg_normalization = 0;  // 0 = off; else |prediction| is at most this times |positive|
  double cfg_truncation = 1;     // no guidance at steps where 1 - sigma exceeds it, unless it exceeds 1
  std::uint64_t seed = 0;
  std::string sampler = "euler";
  std::string schedule;  // empty = the sampler's default
  std::optional<InitImage> init;

  // Of `steps`, those that are left out because of init's strength; as diffusers counts them.
  std::int64_t skipped_steps() const;
};

// 3 floats a pixel, interleaved, rows from the top, 0 to 1.
struct Image {
  std::int64_t width = 0, height = 0;
  std::vector<float> rgb;
};

// Everything that a test or a trace may want to see between stages. Null members are not called.
struct PipelineTaps {
  std::function<void(const std::vector<std::int32_t>& ids, bool negative)> tokens;
  // Of the encoder, as PromptEncoder::Hidden; not of embeddings that are kept from an earlier prompt.
  std::function<void(const std::string& name, ConstRows rows, bool negative)> hidden;
  std::function<void(ConstRows embeddings, bool negative)> embeddings;
  std::function<void(ConstPlanes latents)> noise;
  std::function<void(ConstPlanes latents)> init;  // of the image to begin with, as the denoiser has them
  std::function<void(std::size_t step, double t, ConstPlanes positive, const float* negative,
                     ConstPlanes latents)>
      step;  // from 0, also where steps are left out; the model's raw outputs (negative null without guidance
             // at that step), latents after it
  const float* initial_noise = nullptr;  // used instead of drawing, when given: [in_channels, h, w]
};

// How a pipeline holds its model.
struct PipelineOptions {
  // q8_0, q4_0, q4_K or q6_K: what the big matrices of encoder and denoiser are rounded to
  std::optional<Dtype> weights;
  // the same for one of them alone, none as they are stored
  std::optional<std::optional<Dtype>> encoder_weights, denoiser_weights;
  MemoryWish memory;
  int threads = 1;  // for rounding

  std::optional<Dtype> of_encoder() const { return encoder_weights.value_or(weights); }
  std::optional<Dtype> of_denoiser() const { return denoiser_weights.value_or(weights); }
};

// One opened model. Not for several threads at once.
class Pipeline {
 public:
  virtual ~Pipeline() = default;

  // What a person may want to know: "architecture", "dtype.encode", ...
  virtual std::vector<std::pair<std::string, std::string>> describe() const = 0;
};

// How many tokens a prompt has, in the model's template, and how many of them the encoder reads.
struct TokenCount {
  std::size_t given = 0, used = 0;
};

// From a prompt to an image.
class ImagePipeline : public Pipeline {
 public:
  // Cancelling is noticed once per block of each network. The embeddings of the last few prompts are kept.
  // Throws OUT_OF_MEMORY with figures before anything is computed when the memory limit cannot be met,
  // INVALID_DIMENSION, INVALID_ARGUMENT, PIPELINE_ERROR (naming the stage whose numbers are not
  // finite), CANCELLED, ...
  virtual Image generate(const ImageRequest& request, Run& run, const PipelineTaps& taps = {}) = 0;

  // Of that prompt; both 0 where the architecture does not tell. Throws as generate.
  virtual TokenCount count_tokens(const std::string& /*prompt*/) const { return {}; }

  // What generate would take. Only for a pipeline that was opened over probe.notes; throws what generate
  // would throw before it computes.
  virtual ImageCost cost(const ImageRequest& request, const CostProbe& probe, Run& run) = 0;
};

}  // namespace engines
