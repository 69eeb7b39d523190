// SPDX-License-Identifier: Apache-2.0
// Averages of steps.
#include "host/residency/pace.h"

#include <algorithm>
#include <cmath>

namespace roundhouse::host {
namespace {

constexpr std::size_t kSizes = 64;  // remembered for a model
constexpr double kNews = 0.3;       // weight of the newest picture

double seconds_between(Forecast::Time from, Forecast::Time to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

Pace mixed(const Pace& old, const Pace& news) {
  Pace pace = news;
  if (old.seconds_per_step && news.seconds_per_step) {
    pace.seconds_per_step = (1 - kNews) * *old.seconds_per_step + kNews * *news.seconds_per_step;
  }
  pace.other_seconds = (1 - kNews) * old.other_seconds + kNews * news.other_seconds;
  return pace;
}

}  // namespace

void PaceBook::note(const std::string& key, std::uint64_t pixels, const Pace& pace) {
  auto& sizes = entries_[key];
  if (sizes.size() >= kSizes && !sizes.contains(pixels)) sizes.clear();
  Entry& entry = sizes[pixels];
  entry.pace = entry.measured ? mixed(entry.pace, pace) : pace;
  entry.measured = true;
}

void PaceBook::expect(const std::string& key, std::uint64_t pixels, const Estimate& estimate,
                      std::uint32_t steps) {
  Entry& entry = entries_[key][pixels];
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

Pace PaceBook::pace(const std::string& key, std::uint64_t pixels) const {
  const auto sizes = entries_.find(key);
  if (sizes == entries_.end() || sizes->second.empty() || pixels == 0) return {};
  const auto distance = [pixels](const auto& known) {
    return known.first > pixels ? known.first - pixels : pixels - known.first;
  };
  const auto nearest = std::ranges::min_element(sizes->second, {}, distance);
  const double scale = static_cast<double>(pixels) / static_cast<double>(nearest->first);
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
