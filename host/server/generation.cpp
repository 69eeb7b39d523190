// SPDX-License-Identifier: Apache-2.0
// From a request to images, through the pool.
#include "host/server/generation.h"

#include <chrono>
#include <nlohmann/json.hpp>

#include "host/app/generate.h"
#include "host/server/pool_request.h"
#include "host/session/random_seed.h"
#include "host/text/elapsed.h"
#include "host/worker/redaction.h"

namespace roundhouse::host {
namespace {

using Clock = std::chrono::steady_clock;

void note_plan(const Services& services, http::Exchange& exchange, const GeneratePlan& plan) {
  note_placement(exchange, plan);
  nlohmann::json& notes = exchange.notes();
  notes["width"] = plan.job.width;
  notes["height"] = plan.job.height;
  notes["steps"] = plan.job.steps;
  notes["images"] = plan.images;
  notes["seed"] = plan.job.seed;
  if (!services.log_prompts) return;
  notes["prompt"] = plan.job.prompt;
  if (plan.job.negative_prompt) notes["negative_prompt"] = *plan.job.negative_prompt;
}

void note_image(http::Exchange& exchange, const ImageResult& result) {
  nlohmann::json& notes = exchange.notes();
  for (const StageTiming& stage : result.stages) {
    const std::string name = stage.stage + "_ms";
    notes[name] = notes.value(name, 0.0) + stage.milliseconds;
  }
}

double step_seconds(const ImageResult& result) {
  double milliseconds = 0;
  for (const double step : result.step_milliseconds)
    milliseconds += step;
  return milliseconds / 1000;
}

// Those of the caller, and what the daemon counts and notes.
ImageEvents image_events(const Services& services, http::Exchange& exchange, const GenerationEvents& events,
                         Generation& generation) {
  ImageEvents all = events;
  all.loaded = [&](const LeaseReport& lease) {
    generation.plan.engine = lease.placement.engine;
    if (events.loaded) events.loaded(lease);
  };
  all.image = [&](std::uint32_t image, std::uint64_t seed, const ImageResult& result) {
    note_image(exchange, result);
    generation.images.push_back({seed, result});
    services.metrics.image(generation.plan.engine, name_of(generation.plan.model), generation.plan.job.steps,
                           step_seconds(result));
    if (events.image) events.image(image, seed, result);
  };
  return all;
}

const LeaseReport& itself(const LeaseReport& report) {
  return report;
}

void run(const Services& services, http::Exchange& exchange, std::optional<KeepAlive> keep_alive,
         const GenerationEvents& events, Generation& generation) {
  const Clock::time_point begin = Clock::now();
  note_plan(services, exchange, generation.plan);
  if (events.planned) events.planned(generation.plan);
  generation.lease = in_pool(
      exchange,
      [&] {
        return services.images.run(generation.plan, keep_alive, exchange.cancelled(),
                                   image_events(services, exchange, events, generation));
      },
      itself);
  generation.plan.engine = generation.lease.placement.engine;
  generation.plan.notes = generation.lease.notes;
  generation.seconds = seconds_since(begin);
}

GeneratePlan plan(const Services& services, GenerateRequest& request) {
  if (!request.engine) request.engine = services.registry.default_engine();
  return make_plan(request, *services.registry.snapshot(), services.models(), random_seed);
}

// An engine's message may hold the prompt; whoever asked may see it, the log may not.
[[noreturn]] void rethrow_noted(const Services& services, http::Exchange& exchange, const Error& error,
                                const ImageTask& job) {
  if (!services.log_prompts) exchange.notes()["error"] = without_prompts(error.what(), job);
  throw;
}

}  // namespace

Generation generate_images(const Services& services, http::Exchange& exchange, GenerateRequest request,
                           std::optional<KeepAlive> keep_alive, const GenerationEvents& events,
                           PreviewRate previews) {
  Generation generation;
  generation.plan.job.prompt = request.prompt;
  generation.plan.job.negative_prompt = request.negative_prompt;
  try {
    generation.plan = plan(services, request);
    generation.plan.job.preview_every = previews.steps_between(generation.plan.job.steps);
    run(services, exchange, keep_alive, events, generation);
  } catch (const Error& error) {
    rethrow_noted(services, exchange, error, generation.plan.job);
  }
  return generation;
}

LeaseReport load_model(const Services& services, http::Exchange& exchange, GenerateRequest request,
                       std::optional<KeepAlive> keep_alive) {
  if (!request.engine) request.engine = services.registry.default_engine();
  LeaseRequest wanted;
  wanted.placement = place_model(request, *services.registry.snapshot(), services.models());
  wanted.keep_alive = keep_alive;
  note_placement(exchange, wanted.placement);
  return in_pool(
      exchange, [&] { return services.pool.lend(wanted, exchange.cancelled(), {}, nullptr); }, itself);
}

ImageMetadata Generation::record(std::size_t image, const std::string& version) const {
  return image_record(plan, lease.opened, images.at(image).seed, version);
}

}  // namespace roundhouse::host
