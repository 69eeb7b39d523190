// SPDX-License-Identifier: Apache-2.0
#include "host/cli/trace_run.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/residency/one_worker.h"

namespace roundhouse::host {
namespace {

constexpr const char* kPrompt = "a red fox";
constexpr const char* kTinyModel = ModelCatalogue::kDefaultModel;

// The texts of a fixture and the flags that stand for them.
struct TracedText {
  const char* name;
  std::optional<std::string> TraceFlags::*flag;
};
constexpr TracedText kTexts[] = {
    {"prompt", &TraceFlags::prompt},     {"negative_prompt", &TraceFlags::negative_prompt},
    {"model", &TraceFlags::model},       {"width", &TraceFlags::width},
    {"height", &TraceFlags::height},     {"steps", &TraceFlags::steps},
    {"guidance", &TraceFlags::guidance}, {"cfg_normalization", &TraceFlags::cfg_normalization},
    {"seed", &TraceFlags::seed},         {"cfg_truncation", &TraceFlags::cfg_truncation},
    {"sampler", &TraceFlags::sampler},   {"schedule", &TraceFlags::schedule},
};

// A run without a prompt and a seed of its own is the same every time.
GenerateRequest request_of(const TraceFlags& typed) {
  TraceFlags flags = typed;
  if (!flags.prompt && !flags.prompt_file) flags.prompt = kPrompt;
  if (!flags.seed) flags.seed = "0";
  return to_request(flags);
}

}  // namespace

void fill_from_texts(TraceFlags& flags, const TensorTexts& texts) {
  for (const TracedText& text : kTexts) {
    const auto found = texts.find(text.name);
    if (found != texts.end() && !(flags.*text.flag)) flags.*text.flag = found->second;
  }
}

void make_tiny(TraceFlags& flags, const ModelCatalogue& models) {
  constexpr std::uint32_t kTiny = 64;  // pixels; fewer give some autoencoders a single latent
  const ResolvedModel model = models.resolve(flags.model.value_or(kTinyModel));
  const std::string side = fmt::format("{}", std::max(kTiny, model.size.minimum));
  if (!flags.width) flags.width = side;
  if (!flags.height) flags.height = side;
  if (!flags.steps) flags.steps = "1";
}

TraceRun::TraceRun(const Program& program, const TraceFlags& flags)
    : program_(program),
      threads_(flags.threads),
      log_(program.log()),
      registry_(program.registry()),
      plan_(make_plan(request_of(flags), registry_, program.models(), [] { return std::uint64_t{0}; })) {
}

void TraceRun::trace(const std::function<void(const TraceTensor&)>& seen) {
  ClientOptions client;
  client.threads = thread_budget(threads_);
  client.device = plan_.device;
  client.log = [this](std::uint32_t level, const std::string& category, const std::string& message) {
    log_->write(level, category, message);
  };
  OneWorker worker(registry_, client);
  trace_plan(plan_, worker, watch_interrupts(), [&](TraceTensor tensor) { seen(tensor); });
}

TensorTexts TraceRun::texts() const {
  const ImageTask& job = plan_.job;
  TensorTexts texts{{"prompt", job.prompt},
                    {"model", name_of(plan_.model)},
                    {"engine", plan_.engine},
                    {"width", fmt::format("{}", job.width)},
                    {"height", fmt::format("{}", job.height)},
                    {"steps", fmt::format("{}", job.steps)},
                    {"guidance", fmt::format("{}", job.guidance)},
                    {"cfg_normalization", fmt::format("{}", job.cfg_normalization)},
                    {"cfg_truncation", fmt::format("{}", job.cfg_truncation)},
                    {"seed", fmt::format("{}", job.seed)}};
  if (job.negative_prompt) texts["negative_prompt"] = *job.negative_prompt;
  if (job.sampler) texts["sampler"] = *job.sampler;
  if (job.schedule) texts["schedule"] = *job.schedule;
  return texts;
}

OrderedJson TraceRun::json() const {
  OrderedJson object;
  object["engine"] = plan_.engine;
  object["model"] = name_of(plan_.model);
  object["width"] = plan_.job.width;
  object["height"] = plan_.job.height;
  object["steps"] = plan_.job.steps;
  object["guidance"] = plan_.job.guidance;
  object["seed"] = plan_.job.seed;
  object["version"] = program_version();
  return object;
}

std::string TraceRun::summary() const {
  return fmt::format("{} on {}, {}x{}, {} {}, seed {}\n", name_of(plan_.model), plan_.engine, plan_.job.width,
                     plan_.job.height, plan_.job.steps, plan_.job.steps == 1 ? "step" : "steps",
                     plan_.job.seed);
}

}  // namespace roundhouse::host
