// SPDX-License-Identifier: Apache-2.0
// Asks every engine what it is, each in its own worker.
#include <algorithm>
#include <atomic>
#include <thread>
#include <variant>

#include "host/worker/engine_client.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {
namespace {

using Outcome = std::variant<std::monostate, EngineReport, Error>;

Outcome probe_one(const EngineManifest& manifest, const ClientOptions& options) {
  try {
    return make_worker_client(manifest, options)->probe();
  } catch (const Error& error) {
    return error;
  } catch (const std::exception& error) {
    return Error(RH_INTERNAL, std::string("unexpected exception: ") + error.what());
  }
}

}  // namespace

void probe_all(Registry& registry, const ClientOptions& options) {
  std::vector<EngineManifest> manifests;
  for (const EngineRecord& record : registry.records()) {
    if (record.state == EngineState::listed && record.manifest) manifests.push_back(*record.manifest);
  }
  std::vector<Outcome> outcomes(manifests.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < manifests.size(); i = next++) {
      outcomes[i] = probe_one(manifests[i], options);
    }
  };
  {
    std::vector<std::jthread> helpers;
    const std::size_t wanted = std::min<std::size_t>(thread_budget(0), manifests.size());
    for (std::size_t i = 1; i < wanted; ++i)
      helpers.emplace_back(work);
    work();
  }
  for (std::size_t i = 0; i < manifests.size(); ++i) {
    if (auto* report = std::get_if<EngineReport>(&outcomes[i])) {
      registry.set_report(manifests[i].file, std::move(*report));
    } else if (const auto* error = std::get_if<Error>(&outcomes[i])) {
      registry.set_error(manifests[i].file, *error);
    }
  }
}

}  // namespace roundhouse::host
