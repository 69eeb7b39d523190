// SPDX-License-Identifier: Apache-2.0
// What a run of images tells, whoever makes them.
#pragma once

#include "host/residency/lease.h"
#include "host/task/events.h"
#include "host/task/image_task.h"

namespace roundhouse::host {

struct StepEvent {
  std::uint32_t image = 0, images = 1;
  std::string stage;                  // "load", "encode", "denoise", "decode"
  std::uint32_t step = 0, steps = 0;  // units done in this stage, and all
  double step_milliseconds = 0;       // of this unit
  double seconds_per_step = 0;        // of denoise; 0 = not known yet
  // Until the last image is done: from the engine's estimate or earlier images before the first step, then
  // from this one's steps. Never rising. None: not known yet.
  std::optional<double> eta_seconds;
  double fraction = 0;  // of all steps of all images, 0 to 1, never falling
};

// As LeaseEvents: called on the thread that runs, one after the other, none after it has returned. What one
// throws ends the run with just that; the worker is told to stop.
struct ImageEvents : LeaseEvents {
  std::function<void(const StepEvent&)> progress;
  std::function<void(std::uint32_t image, const PreviewEvent&)> preview;
  // A finished image, before the next one begins, so that it can be saved.
  std::function<void(std::uint32_t image, std::uint64_t seed, const ImageResult&)> image;
};

}  // namespace roundhouse::host
