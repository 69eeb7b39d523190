// SPDX-License-Identifier: Apache-2.0
// One request's way through the pool, on its caller's thread.
#pragma once

#include "host/residency/pool_core.h"

namespace roundhouse::host {

class PoolLease final : public Lease {
 public:
  // All must outlive it.
  PoolLease(PoolCore& core, const LeaseRequest& request, const std::atomic<bool>& cancelled,
            const LeaseEvents& events, const LeaseWork& work);

  // As ModelPool::lend; once.
  LeaseReport run();

  EngineClient& client() override;
  bool is_cancelled() const override { return ticket_.is_cancelled(); }
  void call_ended(std::uint64_t peak_bytes) override;
  const LeaseReport& report() const override { return report_; }

 private:
  using Clock = PoolCore::Clock;

  void take_turns();
  void check_cancelled() const;
  void survey();
  bool work(const Schedule::Grant& grant);
  bool load();
  EngineClient& loader();
  bool has_engine(EngineClient& client);
  void announce(bool was_loaded);
  void do_work();
  void settle(const Error& error);
  bool died_unnoticed(const Error& error, bool fresh);
  ModelSource job() const;
  KeepAlive keep_alive() const;

  PoolCore& core_;
  const LeaseRequest& request_;
  const LeaseEvents& events_;
  const LeaseWork& work_;
  Registry registry_;   // of this request: engines that it found to be of no use are out
  LeaseReport report_;  // its placement's engine may be replaced by another
  Ticket ticket_;
  std::uint32_t calls_ = 0;  // that went well
};

}  // namespace roundhouse::host
