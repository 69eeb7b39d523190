// SPDX-License-Identifier: Apache-2.0
// Averages of steps.
#include "host/session/pace.h"

#include <algorithm>
#include <cmath>

namespace roundhouse::host {
namespace {

constexpr std::size_t kCosts = 64;  // remembered for a model
constexpr double kSmoothing = 0.3;  // weight of the newest image in the moving average

double seconds_between(Forecast::Time from, Forecast::Time to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

Pace mixed(const Pace& old, const Pace& news) {
  Pace pace = news;
  if (old.seconds_per_step && news.seconds_per_step) {
    pace.seconds_per_step = (1 - kSmoothing) * *old.seconds_per_step + kSmoothing * *news.seconds_per_step;
  }
  pace.other_seconds = (1 - kSmoothing) * old.other_seconds + kSmoothing * news.other_seconds;
  return pace;
}

}  // namespace

void PaceTable::note(const std::string& key, const Cost& cost, const Pace& pace) {
  auto& costs = entries_[key];
  if (costs.size() >= kCosts && !costs.contains(cost)) costs.clear();
  Entry& entry = costs[cost];
  entry.pace = entry.measured ? mixed(entry.pace, pace) : pace;
  entry.measured = true;
}

void PaceTable::expect(const std::string& key, const Cost& cost, const Estimate& estimate,
                       std::uint32_t steps) {
  Entry& entry = entries_[key][cost];
  if (entry.measured || steps == 0) return;
  entry.pace.other_seconds = 0;
  for (const StageEstimate& stage : estimate.stages) {
    const double seconds = stage.milliseconds / 1000;
    if (stage.stage == "denoise") {
      entry.pace.seconds_per_step = seconds / steps;
    } else if (stage.stage != "load") {
      entry.pace.other_seconds += seconds;
    }
  }
}

Pace PaceTable::pace(const std::string& key, const Cost& cost) const {
  const auto costs = entries_.find(key);
  if (costs == entries_.end()) return {};
  const auto nearest = nearest_cost(costs->second, cost);
  if (nearest == costs->second.end()) return {};
  const double scale = scale_of(cost, nearest->first);
  Pace pace = nearest->second.pace;
  if (pace.seconds_per_step) *pace.seconds_per_step *= scale;
  pace.other_seconds *= scale;
  return pace;
}

Forecast::Forecast(std::uint32_t images, std::uint32_t steps, const Pace& pace)
    : images_(std::max(images, 1U)), steps_(std::max(steps, 1U)), known_(pace) {
}

void Forecast::begin(std::uint32_t image, Time now) {
  image_ = image;
  begun_ = last_ = now;
  step_ = 0;
  image_seconds_ = 0;
}

std::optional<double> Forecast::seconds_per_step() const {
  if (stepped_ > 0) return stepped_seconds_ / stepped_;
  return known_.seconds_per_step;
}

StepEvent Forecast::follow(const ProgressEvent& event, Time now) {
  if (event.stage == "denoise") {
    // Between two steps all that happens counts, previews as well; before the first there was other work.
    const double told = std::isfinite(event.milliseconds) ? std::max(0.0, event.milliseconds / 1000) : 0;
    const double passed = seconds_between(last_, now);
    image_seconds_ += step_ == 0 ? std::min(told, passed) : passed;
    stepped_seconds_ += step_ == 0 ? std::min(told, passed) : passed;
    ++stepped_;
    step_ = std::min(step_ + 1, steps_);
  } else if (event.stage == "decode") {
    step_ = steps_;
  }
  last_ = now;
  StepEvent out;
  out.image = image_;
  out.images = images_;
  out.stage = event.stage;
  out.step = event.step;
  out.steps = event.steps;
  out.step_milliseconds = event.milliseconds;
  out.seconds_per_step = seconds_per_step().value_or(0);
  const double done = static_cast<double>(image_) * steps_ + step_;
  const double all = static_cast<double>(images_) * steps_;
  fraction_ = std::max(fraction_, std::min(1.0, done / all));
  out.fraction = fraction_;
  if (const std::optional<double> each = seconds_per_step()) {
    const bool decoded = event.stage == "decode" && event.step >= event.steps;
    const double others = known_.other_seconds * (images_ - image_ - (decoded ? 1 : 0));
    const double eta = (all - done) * *each + std::max(0.0, others);
    eta_ = eta_ ? std::min(*eta_, eta) : eta;
  }
  out.eta_seconds = eta_;
  return out;
}

Pace Forecast::end(Time now) {
  Pace pace;
  if (step_ > 0) pace.seconds_per_step = image_seconds_ / steps_;
  pace.other_seconds = std::max(0.0, seconds_between(begun_, now) - image_seconds_);
  known_.other_seconds = pace.other_seconds;
  return pace;
}

}  // namespace roundhouse::host
