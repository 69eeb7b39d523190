// SPDX-License-Identifier: Apache-2.0
// How long images take, and how long the one at work will still take.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "host/session/image_events.h"

namespace roundhouse::host {

// Of one image; none = not known.
struct Pace {
  std::optional<double> seconds_per_step;
  double other_seconds = 0;  // encode, decode and what has to be loaded in between
};

// The figures by key (model, engine, options) and cost. Not for use by two threads at once.
class PaceTable {
 public:
  // An image was made; later ones weigh more.
  void note(const std::string& key, const Cost& cost, const Pace& pace);
  // The engine's own estimate counts until an image was made.
  void expect(const std::string& key, const Cost& cost, const Estimate& estimate, std::uint32_t steps);
  void forget_all_but(const std::set<std::string>& keys) {
    std::erase_if(entries_, [&](const auto& entry) { return !keys.contains(entry.first); });
  }
  // Of a cost that was not met yet: scaled from the nearest one.
  Pace pace(const std::string& key, const Cost& cost) const;

 private:
  struct Entry {
    Pace pace;
    bool measured = false;
  };
  std::map<std::string, std::map<Cost, Entry>> entries_;
};

// Follows the images of one request. Engines are not believed: what counts is the host's clock, and numbers
// are kept within their bounds.
class Forecast {
 public:
  using Time = std::chrono::steady_clock::time_point;

  Forecast(std::uint32_t images, std::uint32_t steps, const Pace& pace);
  // Before an image's work begins.
  void begin(std::uint32_t image, Time now);
  // What the event means for the request.
  StepEvent follow(const ProgressEvent& event, Time now);
  // The image is done: its pace.
  Pace end(Time now);

 private:
  std::optional<double> seconds_per_step() const;

  std::uint32_t images_, steps_;
  Pace known_;
  std::uint32_t image_ = 0;
  Time begun_{}, last_{};       // of the image; of the event before
  std::uint32_t step_ = 0;      // of this image
  double stepped_seconds_ = 0;  // all steps of all images
  double image_seconds_ = 0;    // the steps of this image
  std::uint32_t stepped_ = 0;   // how many those were
  std::optional<double> eta_;
  double fraction_ = 0;
};

}  // namespace roundhouse::host
