// SPDX-License-Identifier: Apache-2.0
// One request's way through the pool, on its caller's thread.
#pragma once

#include "host/residency/pool_core.h"

namespace roundhouse::host {

class Visit {
 public:
  // All must outlive it.
  Visit(PoolCore& core, const PoolRequest& request, const std::atomic<bool>& cancelled,
        const PoolEvents& events);

  // As ModelPool::run; once.
  PoolResult run();

 private:
  using Clock = PoolCore::Clock;

  void take_turns();
  void check_cancelled() const;
  void survey();
  bool work(const Schedule::Grant& grant);
  bool load();
  bool has_engine(EngineClient& client);
  void announce(bool was_loaded);
  void make_images();
  void make_image(std::uint32_t image, Forecast& forecast);
  void settle(const Error& error);
  bool died_unnoticed(const Error& error, bool fresh) const;
  EngineClient& client() const;
  ModelSource job() const;
  KeepAlive keep_alive() const;

  PoolCore& core_;
  const PoolRequest& request_;
  const PoolEvents& events_;
  GeneratePlan plan_;  // its engine may be replaced by another
  Registry registry_;  // of this request: engines that it found to be of no use are out
  Ticket ticket_;
  PoolResult result_;
  std::uint32_t images_done_ = 0;
};

}  // namespace roundhouse::host
