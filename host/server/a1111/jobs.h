// SPDX-License-Identifier: Apache-2.0
// The generations of this dialect at work. Its clients know of one only: that which began first.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "host/residency/pool.h"
#include "host/server/http/router.h"

namespace roundhouse::host::a1111 {

struct JobState {
  std::string name;       // "txt2img"
  std::string timestamp;  // "20260131093000", when it was asked for
  std::uint32_t images = 1, image = 0;
  std::uint32_t step = 0, steps = 0;
  double fraction = 0;  // of all images
  std::optional<double> eta_seconds;
  bool skipped = false, interrupted = false;
  std::shared_ptr<const Image> preview;  // the latest
};

// All functions may be called from any thread.
class Jobs {
 public:
  // A generation from here to its destruction. `stop` makes it end; it is called under a lock, while it
  // lives.
  class Job {
   public:
    Job(Jobs& jobs, JobState state, std::function<void()> stop);
    ~Job();
    Job(const Job&) = delete;
    Job& operator=(const Job&) = delete;

    void update(const std::function<void(JobState&)>& change);
    bool interrupted() const;
    // Whether the image at work is to be left; asked once for each skip.
    bool take_skip();

   private:
    friend class Jobs;
    Jobs& jobs_;
    JobState state_;
    bool skip_ = false;
    std::function<void()> stop_;
    std::list<Job*>::iterator place_;
  };

  std::optional<JobState> first() const;
  void interrupt();  // all
  void skip();       // the first

 private:
  mutable std::mutex mutex_;
  std::list<Job*> jobs_;  // in the order in which they began
};

// GET /sdapi/v1/progress, POST /sdapi/v1/interrupt and /sdapi/v1/skip.
void add_job_routes(http::Router& router, const std::shared_ptr<Jobs>& jobs);

}  // namespace roundhouse::host::a1111
