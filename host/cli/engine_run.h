// SPDX-License-Identifier: Apache-2.0
// What every command that has an engine work begins with: engines, models, the plan, and who is told of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "host/cli/engine_flags.h"
#include "host/cli/program.h"
#include "host/residency/one_worker.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {

// Refers to program and flags.
class EngineRun {
 public:
  // `json`: standard output is for one object alone.
  EngineRun(const Program& program, const EngineFlags& flags, bool json);

  // Reads the engines; fetches the model first where that is wished.
  void begin(const std::optional<std::string>& model);

  // A plan by `make()`, a function of what is known of the engines; made again where measuring them told
  // more. Where the choice was refused or is to be explained, it is.
  template <typename Make>
  auto plan(Make&& make) {
    try {
      auto plan = make();
      if (measure_rivals(plan.route)) plan = make();
      enter(plan);
      return plan;
    } catch (const RoutingRefusal& refusal) {
      decision_ = refusal.decision();
      explain();
      throw;
    }
  }
  // With --in-process: the engine's environment, with which the program may have to begin again.
  // `standard_input` is what was read from there.
  void prepare_process(const Placement& placement, const std::string* standard_input) const;
  void explain() const;

  Registry& registry() { return *registry_; }
  ClientFactory factory() const { return flags_.in_process ? make_in_process_client : make_worker_client; }
  // With threads and log; whoever wants to tidy the terminal before a line of the log sets `before_log`.
  ClientOptions client() const;
  Log& log() const { return *log_; }
  const Decision& decision() const { return decision_; }

  std::function<void()> before_log;

 private:
  bool measure_rivals(const RouteRequest& route);
  void enter(const Placement& placement) { decision_ = placement.decision; }

  const Program& program_;
  const EngineFlags& flags_;
  const bool json_;
  const std::unique_ptr<Log> log_;
  const std::uint32_t threads_;
  std::optional<Registry> registry_;
  Decision decision_;
};

}  // namespace roundhouse::host
