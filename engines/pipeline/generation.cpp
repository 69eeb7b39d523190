// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "engines/pipeline/preview.h"
#include "engines/pipeline/values.h"

namespace engines {
namespace {

constexpr float kTrainTimesteps = 1000;  // the pipeline's own, whatever the scheduler's config says

class Stopwatch {
 public:
  std::uint64_t elapsed_ns() const {
    const auto elapsed = std::chrono::steady_clock::now() - start_;
    return static_cast<std::uint64_t>(std::chrono::nanoseconds(elapsed).count());
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// What a stage costs, from construction to `done`.
class StageMeter {
 public:
  StageMeter(Stage stage, Run& run, const Kernels& kernels)
      : stage_(stage), run_(run), kernels_(kernels), operations_(kernels.operations()) {}
  std::uint64_t operations() const { return kernels_.operations() - operations_; }
  // `other_operations`: of kernels that are not the stage's own.
  void done(std::size_t activation_bytes, std::uint64_t other_operations = 0,
            std::uint64_t preview_ns = 0) const {
    run_.stage_done(
        {stage_, watch_.elapsed_ns(), operations() + other_operations, activation_bytes, preview_ns});
  }

 private:
  Stage stage_;
  Run& run_;
  const Kernels& kernels_;
  std::uint64_t operations_;
  Stopwatch watch_;
};

// Runs `work`; when it is cancelled, says where.
template <class Work>
auto at(const std::string& place, Run& run, Work work) {
  try {
    run.check_cancelled();
    return work();
  } catch (const Error& error) {
    if (error.code() != RH_CANCELLED) throw;
    throw Error(RH_CANCELLED, "cancelled during " + place);
  }
}

std::string of(std::size_t step, std::size_t steps) {
  return fmt::format("{} of {}", step + 1, steps);
}

std::span<float> all(const FloatBuffer& buffer) {
  return {buffer.data(), buffer.size()};
}

std::size_t bytes_of(const FloatBuffer& buffer) {
  return buffer.size() * sizeof(float);
}

// Previews of one run and what they cost. A memory limit may leave no room for any.
class Previews {
 public:
  Previews(LatentModel& model, const MemoryPlan& plan, ConstPlanes latents)
      : kernels_(model.kernels), preview_(model.vae, latents.channels, latents.height, latents.width) {
    const std::uint64_t limit = model.memory.limit;
    const std::uint64_t taken =
        plan.stages[LatentModel::denoise].peak + model.vae.weights().bytes_under("decoder.");
    if (limit > 0) budget_ = limit - std::min(limit, taken);
    fit_ = preview_.least_bytes() <= budget_;
  }
  bool fit() const { return fit_; }
  void take(ConstPlanes x, std::span<const float> v, float sigma) { preview_.take(x, v, sigma); }
  void show(Run& run) {
    const Stopwatch watch;
    Kernels& exact = kernels_.exact();
    const std::uint64_t before = exact.operations();
    preview_.show(run, static_cast<std::size_t>(std::min<std::uint64_t>(budget_, kDecodeBudget)));
    if (&exact != &kernels_) operations_ += exact.operations() - before;
    elapsed_ns_ += watch.elapsed_ns();
    activation_bytes_ = preview_.activation_bytes();
  }
  // Beyond those of the stage's own kernels.
  std::uint64_t operations() const { return operations_; }
  std::uint64_t elapsed_ns() const { return elapsed_ns_; }
  std::size_t activation_bytes() const { return activation_bytes_; }

 private:
  Kernels& kernels_;
  Preview preview_;
  std::uint64_t budget_ = UINT64_MAX;
  bool fit_ = true;
  std::uint64_t operations_ = 0, elapsed_ns_ = 0;
  std::size_t activation_bytes_ = 0;
};

}  // namespace

// The denoiser's outputs of one step, and what guidance makes of them.
struct Generation::Prediction {
  Prediction(std::unique_ptr<Denoiser::Session> pos, std::unique_ptr<Denoiser::Session> neg, std::size_t size)
      : positive_session(std::move(pos)),
        negative_session(std::move(neg)),
        positive(size),
        negative(negative_session ? size : 0),
        velocity(size) {}
  std::size_t activation_bytes() const {
    return positive_session->activation_bytes() +
           (negative_session ? negative_session->activation_bytes() : 0) + bytes_of(positive) +
           bytes_of(negative) + bytes_of(velocity);
  }

  std::unique_ptr<Denoiser::Session> positive_session, negative_session;
  FloatBuffer positive, negative;  // as the model gives them
  FloatBuffer velocity;            // as the sampler takes it
};

Generation::Generation(LatentModel& model, const ImageRequest& request, Run& run, const PipelineTaps& taps)
    : model_(model),
      request_(request),
      run_(run),
      taps_(taps),
      guidance_{request.guidance, request.cfg_normalization, request.cfg_truncation},
      schedule_(make_schedule(
          model.scheduler, request.sampler, request.schedule, request.steps,
          (request.height / model.pixels_per_token()) * (request.width / model.pixels_per_token()))),
      first_step_(static_cast<std::size_t>(request.skipped_steps())),
      generator_(request.seed),
      guided_(request.guidance > 0),
      positive_ids_(model.encoder->tokenize(request.prompt)),
      negative_ids_(guided_ ? model.encoder->tokenize(request.negative_prompt) : Ids()),
      plan_(model.plan(request, positive_ids_.size(), negative_ids_.size())),
      height_(request.height / model.pixels_per_latent()),
      width_(request.width / model.pixels_per_latent()),
      latents_(static_cast<std::size_t>(model.denoiser->channels() * height_ * width_)) {
}

Image Generation::image() {
  model_.denoiser->check_size(height_, width_);  // before the encoder's work
  encode_prompts();
  draw_noise();
  denoise();
  return decode();
}

template <class Load>
void Generation::load(const Load& load) {
  const Stopwatch watch;
  load();
  run_.stage_done({Stage::load, watch.elapsed_ns(), 0, 0, 0});
}

void Generation::encode_prompts() {
  const auto cached = [&](const Ids& ids) { return ids.empty() || model_.embeddings.find(ids) != nullptr; };
  const bool needed = !cached(positive_ids_) || !cached(negative_ids_);
  // Those of the task before.
  if (!plan_.keeps(LatentModel::vae_weights, LatentModel::encode)) model_.vae.weights().forget();
  if (needed && !plan_.keeps(LatentModel::denoiser_weights, LatentModel::encode))
    model_.denoiser->component().release();
  if (needed && !model_.encoder->component().ready()) load([&] { model_.encoder->component().load(); });
  if (needed) model_.encoder->component().keep_within(plan_.components[LatentModel::encoder_weights].window);

  const StageMeter meter(Stage::encode, run_, model_.kernels);
  const std::uint32_t prompts = guided_ ? 2 : 1;
  std::size_t activation_bytes = 0;
  for (std::uint32_t i = 0; i < prompts; ++i) {
    const Stopwatch watch;
    const bool negative = i == 1;
    auto& embeddings = negative ? negative_ : positive_;
    embeddings = encode(negative ? negative_ids_ : positive_ids_, negative, activation_bytes);
    run_.progress(Stage::encode, i + 1, prompts, watch.elapsed_ns());
  }
  std::uint64_t exact_operations = 0;
  if (request_.init) {
    exact_operations = encode_init();
    activation_bytes = std::max(activation_bytes, init_->activation_bytes());
  }
  meter.done(activation_bytes, exact_operations);
  if (!plan_.keeps(LatentModel::encoder_weights, LatentModel::denoise)) model_.encoder->component().release();
}

Generation::Embeddings Generation::encode(const Ids& ids, bool negative, std::size_t& activation_bytes) {
  if (taps_.tokens) taps_.tokens(ids, negative);

  Embeddings embeddings = model_.embeddings.find(ids);
  if (!embeddings) {
    PromptEncoder::Hidden hidden;
    if (taps_.hidden)
      hidden = [&](const std::string& name, ConstRows rows) { taps_.hidden(name, rows, negative); };
    auto computed = at("encode", run_, [&] { return model_.encoder->encode(ids, run_, hidden); });
    require_finite(all(computed), "encode",
                   negative ? "the negative prompt's embeddings" : "the prompt's embeddings");
    embeddings = std::make_shared<const FloatBuffer>(std::move(computed));
    model_.embeddings.keep(ids, embeddings);
    activation_bytes = std::max(activation_bytes, model_.encoder->activation_bytes(ids.size()));
  }
  if (taps_.embeddings) taps_.embeddings(rows_of(embeddings), negative);
  return embeddings;
}

ConstRows Generation::rows_of(const Embeddings& embeddings) const {
  const std::int64_t width = model_.encoder->width();
  return {embeddings->data(), static_cast<std::int64_t>(embeddings->size()) / width, width};
}

// Returns the operations of kernels that are not the stage's own.
std::uint64_t Generation::encode_init() {
  Kernels& exact = model_.kernels.exact();
  const std::uint64_t before = exact.operations();
  at("encode, the image to begin with", run_,
     [&] { init_.emplace(model_.vae, request_, height_, width_, generator_, taps_.initial_noise, run_); });
  const ConstPlanes begun = init_->latents();
  require_finite({begun.data, static_cast<std::size_t>(begun.size())}, "encode",
                 "the latents of the image to begin with");
  if (taps_.init) taps_.init(begun);
  return &exact == &model_.kernels ? 0 : exact.operations() - before;
}

void Generation::draw_noise() {
  if (init_) {
    if (taps_.noise) taps_.noise(init_->noise());
    init_->begin(schedule_.sigmas[first_step_], all(latents_));
    return;
  }
  if (taps_.initial_noise != nullptr) {
    std::copy_n(taps_.initial_noise, latents_.size(), latents_.data());
  } else {
    generator_.randn(all(latents_));
  }
  if (taps_.noise) taps_.noise(latents());
}

void Generation::denoise() {
  if (!model_.denoiser->component().ready()) load([&] { model_.denoiser->component().load(); });
  model_.denoiser->component().keep_within(plan_.components[LatentModel::denoiser_weights].window);

  const StageMeter meter(Stage::denoise, run_, model_.kernels);
  Prediction prediction = begin_sessions();
  Previews previews(model_, plan_, latents());
  const auto sampler = make_sampler(request_.sampler, schedule_, latents_.size(), generator_);
  const std::size_t steps = schedule_.timesteps.size() - first_step_;
  for (std::size_t i = 0; i < steps; ++i) {
    const Stopwatch watch;
    const std::size_t level = first_step_ + i;  // of the schedule
    at("denoise, step " + of(i, steps), run_, [&] { predict(level, prediction); });
    const bool preview =
        previews.fit() && i + 1 < steps && run_.wants_preview(static_cast<std::uint32_t>(i + 1));
    if (preview) previews.take(latents(), all(prediction.velocity), schedule_.sigmas[level]);
    sampler->step(level, all(prediction.velocity), all(latents_));
    if (init_) init_->restore(schedule_.sigmas[level + 1], all(latents_));
    require_finite(all(latents_), "denoise", "the latents", " after step " + of(i, steps));
    show_step(i, prediction);
    run_.progress(Stage::denoise, static_cast<std::uint32_t>(i + 1), static_cast<std::uint32_t>(steps),
                  watch.elapsed_ns());
    if (preview) at("a preview, step " + of(i, steps), run_, [&] { previews.show(run_); });
  }
  meter.done(prediction.activation_bytes() + bytes_of(latents_) + previews.activation_bytes(),
             previews.operations(), previews.elapsed_ns());
}

// The session with more tokens lends its scratch to the other.
Generation::Prediction Generation::begin_sessions() const {
  using Session = std::unique_ptr<Denoiser::Session>;
  const auto begin = [&](const Embeddings& embeddings, const Session& lender) {
    return embeddings ? model_.denoiser->begin(rows_of(embeddings), height_, width_, lender.get())
                      : Session();
  };
  Session positive, negative;
  if (negative_ids_.size() > positive_ids_.size()) {
    negative = begin(negative_, {});
    positive = begin(positive_, negative);
  } else {
    positive = begin(positive_, {});
    negative = begin(negative_, positive);
  }
  return {std::move(positive), std::move(negative), latents_.size()};
}

Image Generation::decode() {
  if (!plan_.keeps(LatentModel::denoiser_weights, LatentModel::decode))
    model_.denoiser->component().release();
  const StageMeter meter(Stage::decode, run_, model_.kernels.exact());
  const Stopwatch watch;
  const auto pixels = static_cast<std::size_t>(request_.width * request_.height);
  const FloatBuffer planes(3 * pixels);
  at("decode", run_, [&] {
    model_.vae.decode(latents(), {planes.data(), 3, request_.height, request_.width}, run_, {},
                      static_cast<std::size_t>(plan_.stages[LatentModel::decode].budget));
  });
  require_finite(all(planes), "decode", "the image");

  Image image{request_.width, request_.height, interleaved(all(planes))};
  run_.progress(Stage::decode, 1, 1, watch.elapsed_ns());
  meter.done(model_.vae.activation_bytes() + bytes_of(planes) + image.rgb.size() * sizeof(float));
  return image;
}

// velocity = direction * (the model's output, guided where guidance applies)
void Generation::predict(std::size_t step, Prediction& p) {
  const float timestep = schedule_.timesteps[step];
  const ConstPlanes x = latents();
  const auto shaped = [&](const FloatBuffer& to) { return Planes{to.data(), x.channels, x.height, x.width}; };

  p.positive_session->forward(x, timestep, shaped(p.positive), run_);
  if (guidance_.applies_at(time_of(step))) {
    p.negative_session->forward(x, timestep, shaped(p.negative), run_);
    guide(guidance_, all(p.positive), all(p.negative), all(p.velocity));
  } else {
    std::ranges::copy(all(p.positive), p.velocity.data());
  }
  const float direction = model_.denoiser->direction();
  for (float& v : all(p.velocity))
    v *= direction;
}

// t = 1 - sigma, in float as the reference: the comparison with the truncation depends on it.
float Generation::time_of(std::size_t step) const {
  return (kTrainTimesteps - schedule_.timesteps[step]) / kTrainTimesteps;
}

ConstPlanes Generation::latents() const {
  return {latents_.data(), model_.denoiser->channels(), height_, width_};
}

void Generation::show_step(std::size_t step, const Prediction& p) const {
  if (!taps_.step) return;
  const float t = time_of(first_step_ + step);
  const ConstPlanes x = latents();
  taps_.step(step, t, {p.positive.data(), x.channels, x.height, x.width},
             guidance_.applies_at(t) ? p.negative.data() : nullptr, x);
}

}  // namespace engines
