// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/rehearsal.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include "engines/kernels/costing/timing.h"
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
Work as_held(Work work, std::optional<Dtype> weights) {
  if (!weights) return work;
  RecordingKernels::Amounts amounts;
  for (const auto& [noted, amount] : work.amounts) {
    OperationShape shape = noted;
    const WeightView view{nullptr, shape.weights, {shape.outputs, shape.inputs}};
    if (shape.kind == OperationShape::Kind::linear) shape.weights = rounded_type(view, *weights);
    amounts[shape].rows += amount.rows;
    amounts[shape].operations += amount.operations;
  }
  work.amounts = std::move(amounts);
  return work;
}

}  // namespace

Rehearsal::Rehearsal(LatentModel& model, const PipelineOptions& options, const ImageRequest& request,
                     const CostProbe& probe, Run& run)
    : model_(model),
      options_(options),
      request_(request),
      probe_(probe),
      run_(run),
      timer_(probe.kernels),
      exact_timer_(probe.kernels.exact()),
      height_(request.height / model.pixels_per_latent()),
      width_(request.width / model.pixels_per_latent()) {
  model_.denoiser->check_size(height_, width_);
  positive_ = model_.encoder->tokenize(request.prompt);
  if (request.guidance > 0) negative_ = model_.encoder->tokenize(request.negative_prompt);
  plan_ = model_.plan(request, positive_.size(), negative_.size());
}

ImageCost Rehearsal::cost() {
  const std::uint64_t process = model_.process_bytes;
  const StageCost load{
      Stage::load, probe_.open_seconds + rounding_seconds(), 0, process, {{"process", process}}};
  return {{load, encode(), denoise(), decode()}, plan_.held, plan_.held_parts};
}

double Rehearsal::rounding_seconds() const {
  const auto rounded = [](const ModelComponent& component) {
    return component.makes_copies() ? component.bytes().all : std::uint64_t{0};
  };
  const std::uint64_t bytes = rounded(model_.encoder->component()) + rounded(model_.denoiser->component());
  if (bytes == 0) return 0;
  return static_cast<double>(bytes) * rounding_seconds_per_byte(*options_.weights) / options_.threads;
}

void Rehearsal::add(StageCost& stage, WorkTimer& timer, double times) {
  run_.check_cancelled();
  const Work work = as_held(probe_.notes.take(), options_.weights);
  stage.seconds += times * timer.seconds(work);
  stage.operations += static_cast<std::uint64_t>(times * static_cast<double>(work.operations));
}

StageCost Rehearsal::planned(Stage stage, std::size_t index) const {
  const StagePlan& plan = plan_.stages[index];
  return {stage, 0, 0, plan.peak, plan.parts};
}

StageCost Rehearsal::encode() {
  StageCost stage = planned(Stage::encode, LatentModel::encode);
  for (const auto* ids : {&positive_, &negative_}) {
    if (!ids->empty()) model_.encoder->rehearse(*ids, run_);
    add(stage, timer_);
  }
  if (request_.init) encode_init(stage);
  const ModelComponent& encoder = model_.encoder->component();
  if (!encoder.makes_copies()) stage.seconds += reading_seconds(encoder.bytes().all);
  return stage;
}

void Rehearsal::encode_init(StageCost& stage) {
  const FloatBuffer planes(static_cast<std::size_t>(3 * request_.height * request_.width));
  std::fill_n(planes.data(), planes.size(), 0.0F);
  const std::int64_t channels = 2 * model_.vae.config().latent_channels;
  const FloatBuffer moments(static_cast<std::size_t>(channels * height_ * width_));
  model_.vae.encode({planes.data(), 3, request_.height, request_.width},
                    {moments.data(), channels, height_, width_}, run_);
  add(stage, exact_timer_);
}

StageCost Rehearsal::denoise() {
  StageCost stage = planned(Stage::denoise, LatentModel::denoise);
  const std::int64_t steps = request_.steps - request_.skipped_steps();
  const std::int64_t channels = model_.denoiser->channels();
  const FloatBuffer latents(static_cast<std::size_t>(channels * height_ * width_));
  const FloatBuffer output(latents.size());
  for (const auto* ids : {&positive_, &negative_}) {
    if (ids->empty()) continue;
    const std::int64_t rows = model_.encoder->rows(ids->size());
    const std::int64_t features = model_.encoder->width();
    const FloatBuffer caption(static_cast<std::size_t>(rows * features));
    const auto session = model_.denoiser->rehearse({caption.data(), rows, features}, height_, width_);
    const auto forward = [&] {
      session->forward({latents.data(), channels, height_, width_}, 500,
                       {output.data(), channels, height_, width_}, run_);
    };
    forward();  // what is done once for a caption, too
    add(stage, timer_);
    forward();
    add(stage, timer_, static_cast<double>(steps - 1));
  }
  const WeightBytes weights = model_.denoiser->component().bytes();
  if (!model_.denoiser->component().makes_copies()) {
    const std::uint64_t again =
        weights.all - std::min(weights.all, plan_.components[LatentModel::denoiser_weights].window);
    stage.seconds += reading_seconds(weights.all + again * static_cast<std::uint64_t>(steps - 1));
  }
  return stage;
}

StageCost Rehearsal::decode() {
  StageCost stage = planned(Stage::decode, LatentModel::decode);
  const std::int64_t channels = model_.vae.config().latent_channels;
  const FloatBuffer latents(static_cast<std::size_t>(channels * height_ * width_));
  const FloatBuffer planes(static_cast<std::size_t>(3 * request_.height * request_.width));
  std::fill_n(latents.data(), latents.size(), 0.0F);
  model_.vae.decode({latents.data(), channels, height_, width_},
                    {planes.data(), 3, request_.height, request_.width}, run_, {},
                    static_cast<std::size_t>(plan_.stages[LatentModel::decode].budget));
  add(stage, exact_timer_);
  return stage;
}

}  // namespace engines
