// SPDX-License-Identifier: Apache-2.0
// A worker for one task, which is gone with it.
#pragma once

#include <memory>

#include "host/residency/lease.h"

namespace roundhouse::host {

using ClientFactory =
    std::function<std::unique_ptr<EngineClient>(const EngineManifest&, const ClientOptions&)>;

// Waits for nobody and keeps nothing. An engine that turns out not to load is marked in the registry. Not for
// use by two threads at once.
class OneWorker : public WorkerSource {
 public:
  // `client`: device and engine options are filled in. `registry` must outlive it.
  OneWorker(Registry& registry, ClientOptions client, ClientFactory factory = make_worker_client);

  LeaseReport lend(const LeaseRequest& request, const std::atomic<bool>& cancelled, const LeaseEvents& events,
                   const LeaseWork& work) override;
  // The same without opening a model: for what an engine does with files.
  LeaseReport lend_engine(const Placement& placement, const std::atomic<bool>& cancelled,
                          const LeaseWork& work);

 private:
  std::unique_ptr<EngineClient> start(LeaseReport& report, const std::atomic<bool>& cancelled);

  Registry& registry_;
  const ClientOptions client_;
  const ClientFactory factory_;
};

}  // namespace roundhouse::host
