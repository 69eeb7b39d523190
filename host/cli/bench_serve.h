// SPDX-License-Identifier: Apache-2.0
// `roundhouse bench serve`: how fast a daemon answers, what it costs, and whether it stays whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "host/cli/bench_daemon.h"
#include "host/cli/bench_report.h"
#include "host/cli/flags.h"

namespace roundhouse::host {

struct BenchServeFlags {
  std::optional<std::string> starts, runs, cycles, clients, seconds;
};
void declare_bench_serve_flags(FlagTable& command, BenchServeFlags& flags);

// One image again and again, by the daemon and by a worker without one in turn.
struct OverheadBench {
  std::string model, engine;
  std::uint32_t width = 0, height = 0, steps = 0;
  Samples request_milliseconds;  // all that the client waits
  Samples engine_milliseconds;   // of that, the engine's stages
  Samples rest_milliseconds;     // of that, all else
  Samples direct_milliseconds;   // the same image by a worker of this program

  double overhead_percent() const;  // the median rest, as a share of the engine's median time
};

// Images that are begun and cancelled, by leaving and by asking in turn.
struct CancelBench {
  std::uint64_t cycles = 0;
  std::uint64_t at_work = 0;  // cancelled after the first step and before the last
  double seconds = 0;
  DaemonFigures before, after;  // after two images and a tenth as many cycles, at most 100; after all
};

// Clients that ask at the same moment, each for another image.
struct CrowdBench {
  std::uint64_t clients = 0, right = 0, refused = 0, wrong = 0;
  std::vector<std::string> problems;  // of the wrong ones, the first few
  double seconds = 0;
};

struct BenchServeReport {
  Samples first_answer_milliseconds, first_image_milliseconds;  // since the daemon was started
  OverheadBench overhead;
  CancelBench cancel;
  CrowdBench crowd;
  std::int64_t runs = 0, starts = 0;
  double health_rate_one = 0, health_rate_many = 0;  // answers a second, on one connection and on many
  double load = 0;                                   // runnable processes of the machine at the beginning
  unsigned processors = 0;
};

inline constexpr int kHealthConnections = 16, kCrowdQueue = 64;
inline constexpr double kOverheadGoal = 3;  // per cent

// Starts daemons of its own. Throws INVALID_ARGUMENT for a flag, what starting throws, what a daemon answers
// where it ought to make an image, and CANCELLED after a signal.
BenchServeReport bench_serve(const Program& program, const BenchServeFlags& flags);

OrderedJson bench_serve_json(const BenchServeReport& report);
std::string bench_serve_text(const BenchServeReport& report);

}  // namespace roundhouse::host
