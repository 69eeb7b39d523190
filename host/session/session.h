// SPDX-License-Identifier: Apache-2.0
// From a request to a plan: validate, resolve, route. A plan is a placement and a task; image_runner.h
// carries out those of images.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/registry/registry.h"
#include "host/residency/one_worker.h"
#include "host/routing/placement.h"
#include "host/session/model_choice.h"
#include "host/store/model_catalogue.h"
#include "host/task/convert_task.h"
#include "host/task/estimate.h"
#include "host/task/image_task.h"
#include "host/task/trace_tensor.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {

struct InitSource;  // init_image.h

// What a person or a client asks for; absent values come from the model's defaults, then the program's.
struct GenerateRequest : ModelChoice {
  std::string prompt;
  bool may_be_blank = false;  // the prompt: clients of the web UI mean it
  std::optional<std::string> negative_prompt;
  bool refuse_long_prompt = false;  // one that the encoder does not read to its end; else a note tells of it
  std::optional<std::int64_t> steps, width, height;
  std::optional<std::string> aspect;  // "1:1", "16:9", "9:16", "4:3", "3:4", "3:2", "2:3": sizes valid for
                                      // the model, about its default area
  std::optional<double> guidance, cfg_normalization, cfg_truncation;
  std::int64_t images = 1;
  std::optional<std::int64_t>
      seed;  // absent or -1 = random; else from 0, and the last image's at most 2^63 - 1
  std::optional<std::string> sampler, schedule;
  std::shared_ptr<const InitSource> init;  // an image to begin with; without a size that size is drawn
  std::optional<double> strength;          // of init: above 0, up to 1; absent: 0.6, with a mask 1
};

// A request in which every value is decided and checked: where it runs, and what is made there.
struct GeneratePlan : Placement {
  ImageTask job;  // of the first image; image i has seed + i (modulo 2^63)
  std::uint32_t images = 1;
  std::vector<std::string> notes;  // e.g. "negative prompt has no effect without guidance"
};

// Checks everything that can be refused before an engine starts, in the order: request values, names, sizes,
// model, routing (a RoutingRefusal). Starts nothing, writes nothing. `random_seed` gives the seed when none
// was asked for.
GeneratePlan make_plan(const GenerateRequest& request, const Registry& registry, const ModelCatalogue& models,
                       const std::function<std::uint64_t()>& random_seed);

// The steps of a request that does not say how many: its model's own. Throws what finding the model throws.
std::uint32_t usual_steps(const GenerateRequest& request, const Registry& registry,
                          const ModelCatalogue& models);

// The placement alone, without a task: where images of the model that `request` names are made, at the
// model's own defaults. For who wants it loaded, or to know whether it can be. Of the request only model,
// engine, device, weights, memory limit and options are looked at. Throws what make_plan throws.
Placement place_model(const GenerateRequest& request, const Registry& registry, const ModelCatalogue& models);

// What the planned image would cost on the planned engine, before anything is loaded. CAPABILITY_UNSUPPORTED
// from an engine that cannot tell.
struct EstimateResult {
  std::string engine;
  EngineReport report;
  Estimate estimate;
  std::vector<std::string> notes;
};
EstimateResult estimate_plan(const GeneratePlan& plan, OneWorker& worker, const std::atomic<bool>& cancelled);

// Makes the planned image and gives what every stage computed, in its order, on this thread (rh.trace/1).
// Notes of the run. CAPABILITY_UNSUPPORTED from an engine that shows nothing.
std::vector<std::string> trace_plan(const GeneratePlan& plan, OneWorker& worker,
                                    const std::atomic<bool>& cancelled,
                                    const std::function<void(TraceTensor)>& seen);

// As GeneratePlan, with rh.convert/1 in place of rh.image/1.
struct ConversionPlan : Placement {
  ConvertTask job;
};
// Throws a RoutingRefusal where no engine writes that type. Starts nothing.
ConversionPlan make_conversion_plan(const std::string& type, const std::string& format,
                                    const std::optional<std::string>& engine, const Registry& registry);
struct ConversionResult {
  std::string engine;
  EngineReport report;
  ConvertResult converted;
  std::vector<std::string> notes;
};
// Converts plan.job.source into plan.job.target. The engine has ended when it returns or throws.
ConversionResult run_conversion(const ConversionPlan& plan, OneWorker& worker,
                                const std::atomic<bool>& cancelled, const ConvertProgress& seen);

}  // namespace roundhouse::host
