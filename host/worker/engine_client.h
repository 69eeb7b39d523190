// SPDX-License-Identifier: Apache-2.0
// One engine at work, wherever it runs: in a worker process (the rule) or in this one (--in-process).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/manifest/manifest.h"
#include "host/registry/registry.h"
#include "host/worker/conversion.h"
#include "host/worker/engine_option.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

using Facts = std::vector<std::pair<std::string, std::string>>;

// A picture as it leaves an engine, checked: finite, of the requested size. 3 bytes a pixel, interleaved,
// rows from the top.
struct Picture {
  std::uint32_t width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

// The plain values of rh_model_source.
struct OpenJob {
  std::filesystem::path directory;       // empty for modelless engines
  std::string architecture;              // likewise
  std::uint64_t memory_limit_bytes = 0;  // for the model and its work together; 0 = none is known
  std::vector<EngineOption> options;
};

// The plain values of rh_image_request (see ext/image.h for meanings and units).
struct ImageJob {
  std::string prompt;
  std::optional<std::string> negative_prompt;
  std::uint32_t width = 0, height = 0, steps = 0;
  double guidance = 0, cfg_normalization = 0, cfg_truncation = 1;
  std::uint64_t seed = 0;
  std::optional<std::string> sampler, schedule;
  std::uint32_t preview_every = 0;  // a preview after every so many steps; 0 = none
  std::vector<EngineOption> options;
};

struct StageTiming {
  std::string stage;  // "encode", "denoise", "decode"
  double milliseconds = 0;
  std::uint64_t operations = 0;
  std::uint64_t activation_bytes = 0;
  std::uint64_t peak_memory_bytes = 0;  // of the engine's process while the stage went on
  double preview_milliseconds = 0;      // of the milliseconds: what previews took
};

struct ImageResult {
  Picture picture;
  std::vector<StageTiming> stages;
  std::vector<double> step_milliseconds;
  std::uint64_t peak_memory_bytes = 0;  // of the process that the engine ran in, so far
};

struct ProgressEvent {
  std::string stage;
  std::uint32_t step = 0, steps = 0;
  double milliseconds = 0;  // of this step
  double fraction = 0;      // of loading that is done, 0 to 1; stage "load" only
};

// What the picture would be if the steps to come changed nothing; smaller than the picture, of its shape.
struct PreviewEvent {
  std::uint32_t step = 0, steps = 0;  // after this step
  Picture picture;
};

// What a call tells while it runs, on the thread that called. What one of the functions throws ends the call
// with just that.
struct CallEvents {
  CallEvents() = default;
  template <std::invocable<const ProgressEvent&> Progress>
  CallEvents(Progress told) : progress(std::move(told)) {}  // also where only a function is given

  std::function<void(const ProgressEvent&)> progress;
  std::function<void(const PreviewEvent&)> preview;  // as often as the job asks; null = none are made
};

struct OpenResult {
  EngineReport engine;
  Facts model;  // architecture, dtype.encode, ...
  double load_milliseconds = 0;
  std::uint64_t peak_memory_bytes = 0;
};

// What a picture would cost (rh.estimate/1).
struct StageEstimate {
  std::string stage;  // "load", "encode", "denoise", "decode"
  double milliseconds = 0;
  std::uint64_t operations = 0;
  std::uint64_t peak_memory_bytes = 0;  // of the engine's process
};
struct Estimate {
  std::vector<StageEstimate> stages;
  std::uint64_t held_memory_bytes = 0;  // between two pictures
};

// How long an engine may be silent before it is taken for hung and killed (0 = for ever). It is not silent
// when it reports, logs, or asks whether to stop, as it must at least once per transformer block.
struct Patience {
  std::chrono::milliseconds probe{10'000};
  std::chrono::milliseconds load{300'000};
  std::chrono::milliseconds step{300'000};  // in generate
  std::chrono::milliseconds cancel{5'000};  // from the cancel to the answer
};

struct ClientOptions {
  std::uint32_t threads = 0;  // 0 = all processors that this process may use
  std::string device = "cpu";
  std::vector<EngineOption> engine_options;  // of rh_engine_config
  Patience patience;
  // What is started as a worker: a program whose main() hands over to worker_main.
  std::filesystem::path executable = "/proc/self/exe";
  // What the engine logs, and what it printed although it may not (level RH_LOG_WARNING). Any thread.
  std::function<void(std::uint32_t level, const std::string& category, const std::string& message)> log;
};

// Not for use by two threads at once, except what says any-thread. Ends its worker on destruction. Every
// failure is an Error of the taxonomy that names the engine; after ENGINE_CRASHED, TIMEOUT or a kill the
// client is dead and a new one is to be made.
class EngineClient {
 public:
  virtual ~EngineClient() = default;
  // Loads the plugin and creates the engine.
  virtual EngineReport probe() = 0;
  virtual OpenResult open(const OpenJob& job, const CallEvents& events) = 0;
  OpenResult open(const OpenJob& job) { return open(job, {}); }
  virtual ImageResult generate(const ImageJob& job, const CallEvents& events) = 0;
  // What opening and one picture would cost, through rh.estimate/1; CAPABILITY_UNSUPPORTED without it.
  virtual Estimate estimate(const OpenJob& model, const ImageJob& job) = 0;
  // The rate in FLOP/s of the engine's own product of operands of that type ("f32", "bf16"; empty = the one
  // that it prefers) through rh.bench/2; CAPABILITY_UNSUPPORTED without that, INVALID_ARGUMENT for a product
  // that the engine does not have.
  virtual double matrix_rate(const std::string& product, std::uint32_t m, std::uint32_t n, std::uint32_t k,
                             double seconds) = 0;
  // Writes a model's weights in another type or format through rh.convert/1; CAPABILITY_UNSUPPORTED without
  // it. `seen` may throw, which cancels.
  virtual ConvertResult convert(const ConvertJob& job, const ConvertSeen& seen) = 0;
  // Asks the running call to stop: it throws CANCELLED, at the latest after patience.cancel. Does nothing
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
