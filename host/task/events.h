// SPDX-License-Identifier: Apache-2.0
// What an engine tells while it opens a model or makes an image.
#pragma once

#include <concepts>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "host/task/image.h"

namespace roundhouse::host {

struct ProgressEvent {
  std::string stage;  // "load", "encode", "denoise", "decode"
  std::uint32_t step = 0, steps = 0;
  double milliseconds = 0;  // of this step
  double fraction = 0;      // of loading that is done, 0 to 1; stage "load" only
};

// What the image would be if the steps to come changed nothing; smaller than the image, of its shape.
struct PreviewEvent {
  std::uint32_t step = 0, steps = 0;  // after this step
  Image image;
};

// What a call tells while it runs, on the thread that called. What one of the functions throws ends the call
// with just that.
struct CallEvents {
  CallEvents() = default;
  template <std::invocable<const ProgressEvent&> Progress>
  CallEvents(Progress told) : progress(std::move(told)) {}  // also where only a function is given

  std::function<void(const ProgressEvent&)> progress;
  std::function<void(const PreviewEvent&)> preview;  // as often as the task asks; null = none are made
};

}  // namespace roundhouse::host
