// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/picture_cost.h"

#include <chrono>

#include "engines/kernels/costing/timing.h"
#include "engines/pipeline/request_check.h"
#include "engines/pipeline/zimage_parts.h"
#include "engines/tensor/quantise.h"

namespace engines {
namespace {

using Clock = std::chrono::steady_clock;
using Work = RecordingKernels::Work;

constexpr double kMappedBytesPerSecond = 8e9;  // first touch of pages that are in the page cache

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double reading_seconds(std::uint64_t bytes) {
  return static_cast<double>(bytes) / kMappedBytesPerSecond;
}

// How long one thread takes to round a weight, measured on a small part of one.
double rounding_seconds_per_byte(Dtype to) {
  constexpr std::int64_t kElements = std::int64_t{1} << 22;
  const std::vector<std::byte> from(static_cast<std::size_t>(bytes_of(Dtype::bf16, kElements)),
                                    std::byte{0x3c});
  std::vector<std::byte> rounded(static_cast<std::size_t>(bytes_of(to, kElements)));
  const auto begin = Clock::now();
  quantise(rounded.data(), to, from.data(), Dtype::bf16, kElements);
  return seconds_since(begin) / static_cast<double>(rounded.size());
}

// Matrices are noted as they are stored; what the kernels will see is what they are rounded to.
Work as_held(Work work, const PipelineOptions& options) {
  if (!options.weights) return work;
  RecordingKernels::Amounts amounts;
  for (const auto& [noted, amount] : work.amounts) {
    OperationShape shape = noted;
    const WeightView view{nullptr, shape.weights, {shape.outputs, shape.inputs}};
    if (shape.kind == OperationShape::Kind::linear) shape.weights = rounded_type(view, *options.weights);
    amounts[shape].rows += amount.rows;
    amounts[shape].operations += amount.operations;
  }
  work.amounts = std::move(amounts);
  return work;
}

// One model on kernels that take notes.
class Rehearsal {
 public:
  Rehearsal(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options,
            const ImageRequest& request, Run& run)
      : options_(options),
        request_(request),
        run_(run),
        begin_(Clock::now()),
        parts_(directory, notes_, options),
        load_seconds_(seconds_since(begin_)),
        timer_(kernels),
        exact_timer_(kernels.exact()),
        height_(request.height / parts_.pixels_per_latent()),
        width_(request.width / parts_.pixels_per_latent()) {
    check_request(request, parts_.pixels_per_token());
    parts_.transformer.described().check_size(height_, width_);
    positive_ = parts_.tokenize(request.prompt);
    if (request.guidance > 0) negative_ = parts_.tokenize(request.negative_prompt);
    plan_ = parts_.plan(request, positive_.size(), negative_.size());
  }

  PictureCost cost() {
    const StageCost load{Stage::load, load_seconds_ + rounding_seconds(), 0, parts_.process_bytes};
    return {{load, encode(), denoise(), decode()}, plan_.held};
  }

 private:
  double rounding_seconds() const {
    const auto rounded = [](const auto& component) {
      return component.makes_copies() ? component.bytes().all : std::uint64_t{0};
    };
    const std::uint64_t bytes = rounded(parts_.encoder) + rounded(parts_.transformer);
    if (bytes == 0) return 0;
    return static_cast<double>(bytes) * rounding_seconds_per_byte(*options_.weights) / options_.threads;
  }

  // Takes the notes since the last time, `times` over.
  void add(StageCost& stage, WorkTimer& timer, double times = 1) {
    run_.check_cancelled();
    const Work work = as_held(notes_.take(), options_);
    stage.seconds += times * timer.seconds(work);
    stage.operations += static_cast<std::uint64_t>(times * static_cast<double>(work.operations));
  }

  StageCost encode() {
    StageCost stage{Stage::encode, 0, 0, plan_.encode_peak};
    const Qwen3Encoder& encoder = parts_.encoder.described();
    for (const auto* ids : {&positive_, &negative_}) {
      if (!ids->empty()) encoder.encode(*ids, run_);
      add(stage, timer_);
    }
    if (!parts_.encoder.makes_copies()) stage.seconds += reading_seconds(parts_.encoder.bytes().all);
    return stage;
  }

  StageCost denoise() {
    StageCost stage{Stage::denoise, 0, 0, plan_.denoise_peak};
    const ZImageTransformer& transformer = parts_.transformer.described();
    const std::int64_t channels = transformer.config().in_channels;
    const FloatBuffer latents(static_cast<std::size_t>(channels * height_ * width_));
    const FloatBuffer velocity(latents.size());
    for (const auto* ids : {&positive_, &negative_}) {
      if (ids->empty()) continue;
      const std::int64_t features = transformer.config().cap_feat_dim;
      const FloatBuffer caption(ids->size() * static_cast<std::size_t>(features));
      const auto session = transformer.begin(
          {caption.data(), static_cast<std::int64_t>(ids->size()), features}, height_, width_);
      const auto forward = [&] {
        session->forward({latents.data(), channels, height_, width_}, 0.5,
                         {velocity.data(), channels, height_, width_}, run_);
      };
      forward();  // refines the caption, too
      add(stage, timer_);
      forward();
      add(stage, timer_, static_cast<double>(request_.steps - 1));
    }
    const WeightBytes weights = parts_.transformer.bytes();
    if (!parts_.transformer.makes_copies()) {
      const std::uint64_t again = weights.all - std::min(weights.all, plan_.transformer_window);
      stage.seconds += reading_seconds(weights.all + again * static_cast<std::uint64_t>(request_.steps - 1));
    }
    return stage;
  }

  StageCost decode() {
    StageCost stage{Stage::decode, 0, 0, plan_.decode_peak};
    const std::int64_t channels = parts_.vae.config().latent_channels;
    const FloatBuffer latents(static_cast<std::size_t>(channels * height_ * width_));
    const FloatBuffer planes(static_cast<std::size_t>(3 * request_.height * request_.width));
    std::fill_n(latents.data(), latents.size(), 0.0F);
    parts_.vae.decode({latents.data(), channels, height_, width_},
                      {planes.data(), 3, request_.height, request_.width}, run_, {},
                      static_cast<std::size_t>(plan_.decode_budget));
    add(stage, exact_timer_);
    return stage;
  }

  const PipelineOptions& options_;
  const ImageRequest& request_;
  Run& run_;
  RecordingKernels notes_;
  const Clock::time_point begin_;
  ZImagePipeline::Parts parts_;
  const double load_seconds_;
  WorkTimer timer_, exact_timer_;
  const std::int64_t height_, width_;  // of the latents
  EmbeddingCache::Ids positive_, negative_;
  MemoryPlan plan_;
};

}  // namespace

PictureCost estimate_picture(const std::filesystem::path& directory, Kernels& kernels,
                             const PipelineOptions& options, const ImageRequest& request, Run& run) {
  return Rehearsal(directory, kernels, options, request, run).cost();
}

}  // namespace engines
