// SPDX-License-Identifier: Apache-2.0
#include "host/worker/rates.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/worker/ops/rates.h"
#include "host/worker/system_state.h"

namespace roundhouse::host {
namespace {

// On a machine that is busy, rounds go on until none brings anything new.
constexpr int kFewestRounds = 3, kMostRounds = 8;
constexpr double kSeconds = 0.004;  // for each type of weights in each round

bool is_measurable(const EngineRecord& record) {
  return (record.state == EngineState::listed || record.state == EngineState::available) && record.manifest &&
         has_capability(record.capabilities(), "device", "cpu");
}

// One engine at work.
struct Measured {
  EngineManifest manifest;
  RateKey key;
  std::unique_ptr<EngineClient> client;
  EngineRates rates;
  bool loads = true, has_rates = true;
};

void load(Measured& engine) {
  try {
    engine.client->probe();
  } catch (const Error&) {
    engine.loads = false;
  }
}

// Whether a rate is now known better than before. An engine without the extension has neither rates nor a
// problem.
bool measure_round(Measured& engine) {
  bool better = false;
  if (!engine.loads || !engine.has_rates || !engine.rates.problem.empty()) return better;
  try {
    for (const auto& [type, rate] : ask_rates(*engine.client, kSeconds)) {
      double& best = engine.rates.by_weights[type];
      better = better || rate * (1 - kRateMargin) > best;
      best = std::max(best, rate);
    }
  } catch (const Error& error) {
    engine.rates.by_weights.clear();
    engine.has_rates = error.code() != RH_CAPABILITY_UNSUPPORTED;
    if (engine.has_rates)
      engine.rates.problem = fmt::format("{}: {}", status_name(error.code()), error.what());
  }
  return better;
}

bool is_wanted(const EngineRecord& record, const MeasureOptions& options) {
  if (!is_measurable(record) || (record.rates && !options.afresh)) return false;
  if (options.engines.empty()) return record.maturity() != "teaching";
  return std::ranges::find(options.engines, record.id) != options.engines.end();
}

}  // namespace

void read_rates(Registry& registry, const RateCache& cache, std::uint32_t threads) {
  const std::string processor = processor_key();
  for (const EngineRecord& record : registry.records()) {
    if (!is_measurable(record)) continue;
    if (auto known = cache.find(rate_key(*record.manifest, processor, thread_budget(threads))))
      registry.set_rates(record.manifest_file, std::move(*known));
  }
}

bool measure_rates(Registry& registry, const RateCache& cache, const ClientOptions& client,
                   const MeasureOptions& options) {
  ClientOptions on_processor = client;
  on_processor.device = "cpu";
  on_processor.engine_options.clear();
  const std::string processor = processor_key();
  std::vector<Measured> engines;
  for (const EngineRecord& record : registry.records()) {
    if (!is_wanted(record, options)) continue;
    engines.push_back({*record.manifest,
                       rate_key(*record.manifest, processor, thread_budget(client.threads)),
                       make_worker_client(*record.manifest, on_processor),
                       {}});
  }
  std::ranges::for_each(engines, load);
  bool better = true;
  for (int round = 0; round < kMostRounds && (better || round < kFewestRounds); ++round) {
    better = false;
    for (Measured& engine : engines)
      better = measure_round(engine) || better;
  }
  for (Measured& engine : engines) {
    if (!engine.loads) continue;
    cache.keep(engine.key, engine.rates);
    registry.set_rates(engine.manifest.file, std::move(engine.rates));
  }
  return !engines.empty();
}

}  // namespace roundhouse::host
