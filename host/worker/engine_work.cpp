// SPDX-License-Identifier: Apache-2.0
// Loads a plugin, opens its model and runs its work, believing nothing that comes back unchecked.
#include "host/worker/engine_work.h"

#include <chrono>
#include <cmath>

#include "host/worker/engine_error.h"
#include "host/worker/picture.h"
#include "host/worker/system_state.h"
#include "roundhouse/ext/draft/bench.h"

namespace roundhouse::host {
namespace {

// More than any sensible engine sends; beyond it reports are dropped, so that none can fill the memory.
constexpr std::size_t kMaximumReports = 65536;

const char* c_string(const std::optional<std::string>& text) {
  return text ? text->c_str() : nullptr;
}

std::string stage_name(std::uint32_t stage) {
  switch (stage) {
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
  ImageResult result = {};

  bool cancelled() const { return watch.cancelled->load(std::memory_order_relaxed); }
  void tell(const ProgressEvent& event) const {
    if (watch.progress) watch.progress(event);
  }
};

Call& call_of(void* context) {
  return *static_cast<Call*>(context);
}

std::int32_t on_cancelled(void* context) {
  const Call& call = call_of(context);
  if (call.watch.alive) call.watch.alive();
  return call.cancelled() ? 1 : 0;
}

void on_load_progress(void* context, double /*fraction*/) {
  call_of(context).tell({"load", 0, 0, 0});
}

std::int32_t on_progress(void* context, const rh_progress* progress) {
  Call& call = call_of(context);
  const double elapsed = milliseconds(progress->elapsed_ns);
  auto& steps = call.result.step_milliseconds;
  if (progress->stage == RH_STAGE_DENOISE && steps.size() < kMaximumReports) steps.push_back(elapsed);
  call.tell({stage_name(progress->stage), progress->step, progress->steps, elapsed});
  return on_cancelled(context);
}

void on_stage(void* context, const rh_stage_report* report) {
  Call& call = call_of(context);
  if (call.result.stages.size() >= kMaximumReports) return;
  call.result.stages.push_back({stage_name(report->stage), milliseconds(report->elapsed_ns),
                                report->operations, report->activation_bytes});
}

rh_status on_image(void* context, const rh_pixels* pixels, rh_error* /*error*/) {
  call_of(context).result.picture = picture_of(*pixels);
  return RH_OK;
}

rh_image_request request_of(const ImageJob& job) {
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
  return request;
}

// The plugin's call. A cancelled one ends as CANCELLED even when the plugin had just finished or failed.
template <typename PluginCall>
void run(const Call& call, const char* phase, PluginCall&& plugin_call) {
  try {
    plugin_call();
  } catch (const Error& error) {
    if (call.cancelled()) throw Error(RH_CANCELLED, std::string("cancelled in ") + phase);
    if (error.code() != RH_CANCELLED) throw;
    throw Error(RH_ENGINE_BROKEN, std::string("returned CANCELLED in ") + phase +
                                      " although nobody had cancelled: " + error.what());
  }
  if (call.cancelled()) throw Error(RH_CANCELLED, std::string("cancelled in ") + phase);
}

}  // namespace

EngineWork::EngineWork(EngineManifest manifest, std::uint32_t threads, std::string device, PluginLog log)
    : manifest_(std::move(manifest)), threads_(threads), device_(std::move(device)), log_(std::move(log)) {
}

EngineWork::~EngineWork() = default;

void EngineWork::load() {
  if (!plugin_) plugin_ = std::make_unique<Plugin>(manifest_, threads_, log_);
  if (!engine_) engine_ = plugin_->create_engine(device_);
}

EngineReport EngineWork::probe() {
  return with_named_errors(manifest_.id, "probe", [&] {
    load();
    return plugin_->report(engine_.get());
  });
}

OpenResult EngineWork::open(const std::filesystem::path& directory, const std::string& architecture,
                            const Watch& watch) {
  return with_named_errors(manifest_.id, "load", [&] {
    const auto begin = std::chrono::steady_clock::now();
    load();
    model_.reset();
    Call call{watch};
    rh_load_sink sink{};
    sink.struct_size = sizeof sink;
    sink.context = &call;
    sink.progress = on_load_progress;
    sink.cancelled = on_cancelled;
    rh_model_source source{};
    source.struct_size = sizeof source;
    source.directory = directory.empty() ? nullptr : directory.c_str();
    source.architecture = directory.empty() ? nullptr : architecture.c_str();
    source.sink = &sink;
    run(call, "load", [&] { model_ = engine_->open_model(source); });

    OpenResult result;
    result.engine = plugin_->report(engine_.get());
    result.model = model_->facts();
    result.load_milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
    result.peak_memory_bytes = peak_memory_bytes();
    return result;
  });
}

ImageResult EngineWork::generate(const ImageJob& job, const Watch& watch) {
  return with_named_errors(manifest_.id, "generate", [&] {
    if (!model_) throw Error(RH_INTERNAL, "no model is open");
    Call call{watch};
    rh_image_sink sink{};
    sink.struct_size = sizeof sink;
    sink.context = &call;
    sink.progress = on_progress;
    sink.stage = on_stage;
    sink.cancelled = on_cancelled;
    sink.image = on_image;
    run(call, "generate", [&] { model_->generate(request_of(job), sink); });
    call.result.peak_memory_bytes = peak_memory_bytes();
    return std::move(call.result);
  });
}

double EngineWork::matrix_rate(std::uint32_t m, std::uint32_t n, std::uint32_t k, double seconds) {
  return with_named_errors(manifest_.id, "bench", [&] {
    load();
    const auto* bench = static_cast<const rh_bench*>(engine_->extension(RH_BENCH_ID));
    if (bench == nullptr || bench->struct_size < sizeof(rh_bench) || bench->matrix_rate == nullptr) {
      throw Error(RH_CAPABILITY_UNSUPPORTED, "has no extension " RH_BENCH_ID);
    }
    rh_error error{};
    error.struct_size = sizeof error;
    double rate = 0;
    const rh_status status = bench->matrix_rate(engine_->raw(), m, n, k, seconds, &rate, &error);
    if (status != RH_OK) {
      error.message[sizeof error.message - 1] = '\0';
      throw Error(is_known(status) ? status : RH_ENGINE_INTERNAL,
                  error.message[0] != '\0' ? error.message : "matrix_rate failed without a message");
    }
    if (!std::isfinite(rate) || rate <= 0) {
      throw Error(RH_ENGINE_BROKEN, "matrix_rate gave " + std::to_string(rate) + " FLOP/s");
    }
    return rate;
  });
}

}  // namespace roundhouse::host
