// SPDX-License-Identifier: Apache-2.0
// One engine at work, wherever it runs: in a worker process (the rule) or in this one (--in-process).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "host/manifest/manifest.h"
#include "host/registry/registry.h"
#include "host/task/engine_option.h"
#include "host/task/engine_report.h"
#include "host/task/events.h"
#include "host/task/model_source.h"
#include "host/worker/call.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

struct ClientOptions {
  std::uint32_t threads = 0;  // 0 = all processors that this process may use
  std::string device = "cpu";
  std::vector<EngineOption> engine_options;  // of rh_engine_config
  Timeouts timeouts;
  // What is started as a worker: a program whose main() hands over to worker_main.
  std::filesystem::path executable = "/proc/self/exe";
  // What the engine logs, and what it printed although it may not (level RH_LOG_WARNING). Any thread.
  std::function<void(std::uint32_t level, const std::string& category, const std::string& message)> log;
};

// Not for use by two threads at once, except what says any-thread: calls at the same time are made by clients
// `beside` each other, whose worker ends with the last of them. Every failure is an Error of the taxonomy
// that names the engine; after ENGINE_CRASHED, TIMEOUT or a kill the client and those beside it are dead, and
// a new one is to be made.
class EngineClient {
 public:
  virtual ~EngineClient() = default;
  // Loads the plugin and creates the engine.
  virtual EngineReport probe() = 0;
  virtual OpenResult open(const ModelSource& job, const CallEvents& events) = 0;
  OpenResult open(const ModelSource& job) { return open(job, {}); }
  // Any operation of the worker (ops/), which has a function of its own: `generate(client, task)`. An engine
  // without it answers CAPABILITY_UNSUPPORTED.
  virtual void call(const Call& call) = 0;
  // Another client of the same worker, for calls of the model that is open beside those of this one: as many
  // at once as OpenResult::capacity says. Opening a model, and what an operation asks of the engine
  // (ops/table.h), takes the whole worker: nothing else may be under way.  [any-thread]
  virtual std::unique_ptr<EngineClient> beside() = 0;
  // Asks the running call to stop: it throws CANCELLED, at the latest after timeouts.cancel. Does nothing
  // between two calls: who cannot know repeats it. Async-signal-safe.  [any-thread]
  virtual void cancel() noexcept = 0;

  // Whether a call can succeed: false once the worker has ended.
  virtual bool alive() = 0;
  // Whether the engine gave any sign of life during the last call.
  virtual bool was_heard() const noexcept = 0;
  // The number of its process; 0 = there is none of its own.  [any-thread]
  virtual pid_t process() const noexcept = 0;
  // Kills the worker: the running call ends with ENGINE_CRASHED.  [any-thread]
  virtual void kill() noexcept = 0;
};

// A child process of this program in the role `--worker`. Nothing is started before the first call.
std::unique_ptr<EngineClient> make_worker_client(const EngineManifest& manifest,
                                                 const ClientOptions& options);
// The same in this process; the manifest's environment must have been set before the process began
// (engine_environment). Nothing guards against a plugin that crashes, hangs, exits or prints.
std::unique_ptr<EngineClient> make_in_process_client(const EngineManifest& manifest,
                                                     const ClientOptions& options);

// What main() calls when argv[1] is "--worker": serves the socket on descriptor 3 until it closes; returns
// the exit status. argv[2] is the process number of the parent, without which a worker does not live.
int worker_main(int argc, char** argv);

// Probes every listed record (in workers, several at a time) and writes the results into the registry.
void probe_all(Registry& registry, const ClientOptions& options);

// The environment that a manifest asks for on this CPU: name and value; variables already set by the user are
// left out.
std::vector<std::pair<std::string, std::string>> engine_environment(const EngineManifest& manifest);

}  // namespace roundhouse::host
