// SPDX-License-Identifier: Apache-2.0
// Carries out plans of images with workers of whatever source.
#pragma once

#include <mutex>

#include "host/session/image_events.h"
#include "host/session/pace.h"
#include "host/session/session.h"

namespace roundhouse::host {

// Of image `image`: seed + image, modulo 2^63.
ImageTask image_job(const GeneratePlan& plan, std::uint32_t image);

// Remembers how long images take. Any thread, as far as its source allows.
class ImageRunner {
 public:
  // The source must outlive it.
  explicit ImageRunner(WorkerSource& source) : source_(source) {}

  // The plan's images one after the other, from a lease to the last of them; plan.job.preview_every asks for
  // previews. Throws what WorkerSource::lend throws. The report's notes begin with the plan's.
  LeaseReport run(const GeneratePlan& plan, std::optional<KeepAlive> keep_alive,
                  const std::atomic<bool>& cancelled, const ImageEvents& events);

  struct Statistics {
    std::uint64_t images = 0, previews = 0;  // for as long as it lives
  };
  Statistics statistics() const;

 private:
  class Run;
  friend class Run;
  template <typename Change>
  auto with_figures(Change&& change) {
    const std::lock_guard lock(mutex_);
    return change(paces_, statistics_);
  }

  WorkerSource& source_;
  mutable std::mutex mutex_;  // guards all below
  PaceTable paces_;
  Statistics statistics_;
};

}  // namespace roundhouse::host
