// SPDX-License-Identifier: Apache-2.0
// One image after the other, with forecasts.
#include "host/session/image_runner.h"

#include <algorithm>

#include "host/worker/ops/estimate.h"
#include "host/worker/ops/image.h"

namespace roundhouse::host {
namespace {

Cost cost_of(const ImageTask& job) {
  return {job.init ? "image of an image" : "image",
          std::max<std::uint64_t>(std::uint64_t{job.width} * job.height, 1)};
}

std::uint64_t peak_of(const ImageResult& result) {
  std::uint64_t peak = 0;
  for (const StageTiming& stage : result.stages)
    peak = std::max(peak, stage.peak_memory_bytes);
  return peak == 0 ? result.peak_memory_bytes : peak;
}

}  // namespace

ImageTask image_job(const GeneratePlan& plan, std::uint32_t image) {
  ImageTask job = plan.job;
  job.seed = (plan.job.seed + image) & INT64_MAX;
  return job;
}

class ImageRunner::Run {
 public:
  Run(ImageRunner& runner, const GeneratePlan& plan, const ImageEvents& events)
      : runner_(runner), plan_(plan), events_(events), cost_(cost_of(plan.job)) {}

  LeaseRequest request(std::optional<KeepAlive> keep_alive) {
    LeaseRequest request;
    request.placement = plan_;
    request.cost = cost_;
    request.keep_alive = keep_alive;
    request.estimate = [this](EngineClient& client, const ModelSource& model) {
      const Estimate estimate = host::estimate(client, {model, image_job(plan_, 0)});
      runner_.with_figures([&](PaceTable& paces, Statistics&) {
        paces.expect(worker_key(plan_), cost_, estimate, plan_.job.steps_done());
      });
      return estimate;
    };
    return request;
  }

  const std::optional<std::string>& note() const { return note_; }

  void make_images(Lease& lease) {
    key_ = worker_key(lease.report().placement);
    const Pace pace =
        runner_.with_figures([&](PaceTable& paces, Statistics&) { return paces.pace(key_, cost_); });
    Forecast forecast(plan_.images, plan_.job.steps_done(), pace);
    for (std::uint32_t image = 0; image < plan_.images; ++image)
      make_image(lease, image, forecast);
  }

 private:
  using Clock = std::chrono::steady_clock;

  void make_image(Lease& lease, std::uint32_t image, Forecast& forecast) {
    const ImageTask job = image_job(plan_, image);
    if (lease.is_cancelled()) throw Error(RH_CANCELLED, "cancelled before the engine had begun");
    forecast.begin(image, Clock::now());
    const ImageResult result = generate(lease.client(), job, call_events(lease, image, forecast));
    const Pace pace = forecast.end(Clock::now());
    runner_.with_figures([&](PaceTable& paces, Statistics& statistics) {
      paces.note(key_, cost_, pace);
      ++statistics.images;
    });
    lease.call_ended(peak_of(result));
    for (const StageTiming& stage : result.stages) {
      if (auto note = long_prompt_note(stage, job.negative_prompt)) note_ = std::move(note);
    }
    if (events_.image) events_.image(image, job.seed, result);
  }

  CallEvents call_events(Lease& lease, std::uint32_t image, Forecast& forecast) {
    CallEvents call;
    call.progress = [&](const ProgressEvent& event) {
      const StepEvent step = forecast.follow(event, Clock::now());
      if (events_.progress) events_.progress(step);
      if (lease.is_cancelled()) lease.client().cancel();  // sooner than who watches the flag
    };
    if (events_.preview) {
      call.preview = [this, image](const PreviewEvent& event) {
        runner_.with_figures([](PaceTable&, Statistics& statistics) { ++statistics.previews; });
        events_.preview(image, event);
      };
    }
    return call;
  }

  ImageRunner& runner_;
  const GeneratePlan& plan_;
  const ImageEvents& events_;
  const Cost cost_;
  std::string key_;                  // of the worker
  std::optional<std::string> note_;  // on the prompt
};

LeaseReport ImageRunner::run(const GeneratePlan& plan, std::optional<KeepAlive> keep_alive,
                             const std::atomic<bool>& cancelled, const ImageEvents& events) {
  Run run(*this, plan, events);
  LeaseReport report = source_.lend(run.request(keep_alive), cancelled, events,
                                    [&run](Lease& lease) { run.make_images(lease); });
  report.notes.insert(report.notes.begin(), plan.notes.begin(), plan.notes.end());
  if (run.note()) report.notes.push_back(*run.note());
  return report;
}

ImageRunner::Statistics ImageRunner::statistics() const {
  const std::lock_guard lock(mutex_);
  return statistics_;
}

}  // namespace roundhouse::host
