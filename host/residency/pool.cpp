// SPDX-License-Identifier: Apache-2.0
// The public face of the core.
#include "host/residency/pool.h"

#include "host/residency/pool_core.h"
#include "host/residency/pool_lease.h"

namespace roundhouse::host {

std::string state_name(ResidentState state) {
  switch (state) {
    case ResidentState::loading:
      return "loading";
    case ResidentState::idle:
      return "idle";
    case ResidentState::busy:
      return "busy";
    case ResidentState::leaving:
      return "leaving";
  }
  return "leaving";
}

class ModelPool::Impl : public PoolCore {
 public:
  using PoolCore::PoolCore;
};

ModelPool::ModelPool(SharedRegistry& registry, ClientOptions client, PoolLimits limits, ClientFactory factory)
    : impl_(std::make_unique<Impl>(registry, std::move(client), std::move(limits), std::move(factory))) {
}

ModelPool::~ModelPool() = default;

LeaseReport ModelPool::lend(const LeaseRequest& request, const std::atomic<bool>& cancelled,
                            const LeaseEvents& events, const LeaseWork& work) {
  return PoolLease(*impl_, request, cancelled, events, work).run();
}

std::size_t ModelPool::unload(const std::string& name) {
  // An empty name means all of them to the core.
  return name.empty() ? 0 : impl_->unload(name);
}

std::size_t ModelPool::unload_all() {
  return impl_->unload({});
}

std::size_t ModelPool::retire_engine(const std::string& engine) {
  return impl_->retire_engine(engine);
}

void ModelPool::pin(const std::string& name, bool pinned) {
  impl_->pin(name, pinned);
}

std::vector<Resident> ModelPool::residents() const {
  return impl_->residents();
}

PoolStatistics ModelPool::statistics() const {
  return impl_->statistics();
}

const PoolLimits& ModelPool::limits() const {
  return impl_->limits();
}

void ModelPool::shutdown(std::chrono::milliseconds grace) {
  impl_->shutdown(grace);
}

}  // namespace roundhouse::host
