// SPDX-License-Identifier: Apache-2.0
// Loads a plugin, opens its model and runs its work, believing nothing that comes back unchecked.
#include "host/worker/engine_work.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "host/worker/engine_call.h"
#include "host/worker/engine_error.h"
#include "host/worker/image_of.h"
#include "host/worker/system_state.h"
#include "roundhouse/ext/draft/bench.h"
#include "roundhouse/ext/estimate.h"

namespace roundhouse::host {
namespace {

// More than any sensible engine sends; beyond it reports are dropped, so that none can fill the memory.
constexpr std::size_t kMaximumReports = 65536;

const char* c_string(const std::optional<std::string>& text) {
  return text ? text->c_str() : nullptr;
}

std::string stage_name(std::uint32_t stage) {
  switch (stage) {
    case RH_STAGE_LOAD:
      return "load";
    case RH_STAGE_ENCODE:
      return "encode";
    case RH_STAGE_DENOISE:
      return "denoise";
    case RH_STAGE_DECODE:
      return "decode";
    default:
      return "stage " + std::to_string(stage);
  }
}

double milliseconds(std::uint64_t nanoseconds) {
  return static_cast<double>(nanoseconds) / 1e6;
}

// What the sinks' contexts point to. The functions below may throw: the loading room's watch keeps it from
// crossing the plugin.
struct Call {
  const Watch& watch;
  const ImageTask* job = nullptr;  // of generate
  ImageResult result = {};
  StretchPeak peak = {};
  std::uint32_t step = 0;  // the last one told
  std::uint32_t previews = 0;

  void tell(const ProgressEvent& event) const {
    if (watch.progress) watch.progress(event);
  }
};

Call& call_of(void* context) {
  return *static_cast<Call*>(context);
}

std::int32_t on_cancelled(void* context) {
  Call& call = call_of(context);
  call.peak.look();
  if (call.watch.alive) call.watch.alive();
  return is_cancelled(call.watch) ? 1 : 0;
}

void on_load_progress(void* context, double fraction) {
  // A NaN is no more than 0, too.
  call_of(context).tell({"load", 0, 0, 0, fraction > 0 ? std::min(fraction, 1.0) : 0});
}

std::int32_t on_progress(void* context, const rh_progress* progress) {
  Call& call = call_of(context);
  const double elapsed = milliseconds(progress->elapsed_ns);
  auto& steps = call.result.step_milliseconds;
  if (progress->stage == RH_STAGE_DENOISE && steps.size() < kMaximumReports) steps.push_back(elapsed);
  if (progress->stage == RH_STAGE_DENOISE) call.step = progress->step;
  call.tell({stage_name(progress->stage), progress->step, progress->steps, elapsed, 0});
  return on_cancelled(context);
}

void on_stage(void* context, const rh_stage_report* report) {
  Call& call = call_of(context);
  if (call.result.stages.size() >= kMaximumReports) return;
  const std::uint64_t peak = call.peak.take();
  call.result.stages.push_back({stage_name(report->stage), milliseconds(report->elapsed_ns),
                                report->operations, report->activation_bytes, peak,
                                milliseconds(report->preview_ns)});
}

// More than there are steps are dropped.
void on_preview(void* context, const rh_pixels* pixels) {
  Call& call = call_of(context);
  if (call.previews >= call.job->steps) return;
  ++call.previews;
  call.watch.preview({call.step, call.job->steps, image_of(*pixels)});
}

rh_status on_image(void* context, const rh_pixels* pixels, rh_error* /*error*/) {
  call_of(context).result.image = image_of(*pixels);
  return RH_OK;
}

// What the sink of an estimate points to.
struct EstimateCall {
  Estimate estimate;
  KeptFailure failure;
};

void on_stage_estimate(void* context, const rh_stage_estimate* stage) {
  auto& call = *static_cast<EstimateCall*>(context);
  call.failure.keep([&] {
    if (!reaches_floor(stage)) {
      throw Error(RH_ENGINE_BROKEN, "estimate: the record of a stage is too small (rule P10)");
    }
    if (call.estimate.stages.size() >= kMaximumReports) return;
    call.estimate.stages.push_back(
        {stage_name(stage->stage), milliseconds(stage->elapsed_ns), stage->operations, stage->peak_bytes});
  });
}

void on_held(void* context, std::uint64_t bytes) {
  static_cast<EstimateCall*>(context)->estimate.held_memory_bytes = bytes;
}

rh_model_source source_of(const ModelSource& job, const OptionRecords& options, const rh_load_sink& sink) {
  rh_model_source source{};
  source.struct_size = sizeof source;
  source.directory = job.directory.empty() ? nullptr : job.directory.c_str();
  source.architecture = job.directory.empty() ? nullptr : job.architecture.c_str();
  source.memory_limit_bytes = job.memory_limit_bytes;
  source.options = options.list();
  source.sink = &sink;
  return source;
}

rh_load_sink load_sink_of(Call& call) {
  rh_load_sink sink{};
  sink.struct_size = sizeof sink;
  sink.context = &call;
  sink.progress = on_load_progress;
  sink.cancelled = on_cancelled;
  return sink;
}

rh_image_request request_of(const ImageTask& job, const OptionRecords& options) {
  rh_image_request request{};
  request.struct_size = sizeof request;
  request.width = job.width;
  request.height = job.height;
  request.steps = job.steps;
  request.prompt = job.prompt.c_str();
  request.negative_prompt = c_string(job.negative_prompt);
  request.guidance = job.guidance;
  request.cfg_normalization = job.cfg_normalization;
  request.cfg_truncation = job.cfg_truncation;
  request.seed = job.seed;
  request.sampler = c_string(job.sampler);
  request.schedule = c_string(job.schedule);
  request.options = options.list();
  request.preview_every = job.preview_every;
  return request;
}

}  // namespace

EngineWork::EngineWork(EngineManifest manifest, std::uint32_t threads, std::string device,
                       std::vector<EngineOption> engine_options, PluginLog log)
    : manifest_(std::move(manifest)),
      threads_(threads),
      device_(std::move(device)),
      engine_options_(std::move(engine_options)),
      log_(std::move(log)) {
}

EngineWork::~EngineWork() = default;

void EngineWork::load() {
  if (!plugin_) plugin_ = std::make_unique<Plugin>(manifest_, threads_, log_);
  if (!engine_) engine_ = plugin_->create_engine(device_, OptionRecords(engine_options_).list());
}

EngineReport EngineWork::probe() {
  return with_named_errors(manifest_.id, "probe", [&] {
    load();
    return plugin_->report(engine_.get());
  });
}

OpenResult EngineWork::open(const ModelSource& job, const Watch& watch) {
  return with_named_errors(manifest_.id, "load", [&] {
    const auto begin = std::chrono::steady_clock::now();
    load();
    model_.reset();
    Call call{watch};
    const OptionRecords options(job.options);
    const rh_load_sink sink = load_sink_of(call);
    run_call(watch, "load", [&] { model_ = engine_->open_model(source_of(job, options, sink)); });

    OpenResult result;
    result.engine = plugin_->report(engine_.get());
    result.model = model_->facts();
    result.load_milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    result.peak_memory_bytes = peak_memory_bytes();
    return result;
  });
}

ImageResult EngineWork::generate(const ImageTask& job, const Watch& watch) {
  return with_named_errors(manifest_.id, "generate", [&] {
    if (!model_) throw Error(RH_INTERNAL, "no model is open");
    Call call{watch, &job};
    const OptionRecords options(job.options);
    rh_image_sink sink{};
    sink.struct_size = sizeof sink;
    sink.context = &call;
    sink.progress = on_progress;
    sink.stage = on_stage;
    sink.cancelled = on_cancelled;
    sink.image = on_image;
    if (watch.preview && job.preview_every > 0) sink.preview = on_preview;
    run_call(watch, "generate", [&] { model_->generate(request_of(job, options), sink); });
    call.result.peak_memory_bytes = peak_memory_bytes();
    return std::move(call.result);
  });
}

Estimate EngineWork::estimate(const ModelSource& model, const ImageTask& job, const Watch& watch) {
  return with_named_errors(manifest_.id, "estimate", [&] {
    load();
    const auto& extension = engine_->extension<rh_estimate>(RH_ESTIMATE_ID);
    Call call{watch};
    const OptionRecords model_options(model.options), options(job.options);
    const rh_load_sink load_sink = load_sink_of(call);
    const rh_model_source source = source_of(model, model_options, load_sink);
    const rh_image_request request = request_of(job, options);
    EstimateCall estimate;
    const rh_estimate_sink sink{sizeof(rh_estimate_sink), 0, &estimate, on_stage_estimate, on_held};
    run_call(watch, "estimate", [&] {
      const Answer answer = engine_->call("estimate", [&](rh_engine* engine, rh_error* error) {
        return extension.image(engine, &source, &request, &sink, error);
      });
      estimate.failure.rethrow();
      answer.check();
    });
    return std::move(estimate.estimate);
  });
}

double EngineWork::matrix_rate(const std::string& product, std::uint32_t m, std::uint32_t n, std::uint32_t k,
                               double seconds) {
  return with_named_errors(manifest_.id, "bench", [&] {
    load();
    const auto& bench = engine_->extension<rh_bench>(RH_BENCH_ID);
    const char* name = product.empty() ? nullptr : product.c_str();
    double rate = 0;
    engine_
        ->call("matrix_rate",
               [&](rh_engine* engine, rh_error* error) {
                 return bench.matrix_rate(engine, name, m, n, k, seconds, &rate, error);
               })
        .check();
    if (!std::isfinite(rate) || rate <= 0) {
      throw Error(RH_ENGINE_BROKEN, "matrix_rate gave " + std::to_string(rate) + " FLOP/s");
    }
    return rate;
  });
}

}  // namespace roundhouse::host
