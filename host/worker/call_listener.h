// SPDX-License-Identifier: Apache-2.0
// What a worker tells between a question and its answer, and who hears it.
#pragma once

#include <optional>

#include "host/worker/engine_client.h"
#include "host/worker/frame.h"
#include "host/worker/guarded_events.h"

namespace roundhouse::host {

class CallListener {
 public:
  virtual ~CallListener() = default;
  // An event of the call, which the caller does not hear once it is `stopping`. False: the call is to stop.
  // Throws FrameError for what does not belong to such a call.
  virtual bool take(const Frame& frame, bool stopping) = 0;
  // Throws what the caller's functions threw.
  virtual void rethrow() const = 0;
  // How far it came, for the words of CANCELLED.
  virtual std::optional<ProgressEvent> last() const { return std::nullopt; }
};

// Of calls that tell nothing.
class SilentListener final : public CallListener {
 public:
  bool take(const Frame& frame, bool stopping) override;
  void rethrow() const override {}
};

// Of open and generate. Progress that a plugin tells where nobody listens is no mistake.
class EventListener final : public CallListener {
 public:
  // Borrows both. A preview is no larger than the picture of `job`; null = there are none.
  explicit EventListener(const CallEvents& events, const ImageTask* job = nullptr)
      : events_(events), job_(job) {}
  bool take(const Frame& frame, bool stopping) override;
  void rethrow() const override { events_.rethrow(); }
  std::optional<ProgressEvent> last() const override { return last_; }

 private:
  GuardedEvents events_;
  const ImageTask* job_;
  std::optional<ProgressEvent> last_;
};

class ConvertListener final : public CallListener {
 public:
  explicit ConvertListener(const ConvertProgress& seen) : seen_(seen) {}
  bool take(const Frame& frame, bool stopping) override;
  void rethrow() const override { seen_.rethrow(); }

 private:
  Guarded<ConvertEvent> seen_;
};

}  // namespace roundhouse::host
