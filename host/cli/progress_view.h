// SPDX-License-Identifier: Apache-2.0
// How far a run is: a bar with step time and time left on a terminal, plain lines elsewhere.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "host/session/image_events.h"

namespace roundhouse::host {

// Writes to standard error. Thread-safe.
class ProgressView {
 public:
  enum class Style { none, lines, bar };

  // The bar on a terminal, else lines; with `json`, nothing but the bar.
  static Style style_for_standard_error(bool json);

  ProgressView(Style style, std::uint32_t images);
  ~ProgressView();
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  void note(const std::string& text);  // "loading pocket-turbo on openblas"
  void step(const StepEvent& event);
  // Takes the bar off the terminal, so that something else can be written.
  void clear();

 private:
  void draw(const std::string& text);

  const Style style_;
  const std::uint32_t images_;
  std::mutex mutex_;
  bool drawn_ = false;
  double denoise_total_ = 0;  // of all steps so far, in milliseconds
  std::uint64_t denoise_steps_ = 0;
};

}  // namespace roundhouse::host
