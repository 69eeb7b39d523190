// SPDX-License-Identifier: Apache-2.0
// Measurements of `roundhouse bench`, and how they are shown.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host/cli/report.h"

namespace roundhouse::host {

// Values of one quantity over the runs.
class Samples {
 public:
  void add(double value) { values_.push_back(value); }
  bool empty() const { return values_.empty(); }
  double median() const;  // 0 when empty, as the others
  double minimum() const;
  double maximum() const;

 private:
  std::vector<double> values_;
};

struct StageBench {
  Samples milliseconds;
  std::uint64_t operations = 0;  // floating-point operations of one run; 0 = not counted
};

struct EngineBench {
  std::string engine, version;
  Samples startup_milliseconds;  // worker, plugin and weights, until the picture could begin
  std::map<std::string, StageBench> stages;
  Samples step_milliseconds;
  std::uint64_t peak_memory_bytes = 0;
  // The machine's own f32 product in operations per second, before and after this engine's runs.
  std::optional<double> rate_before, rate_after;

  // The mean of both.
  std::optional<double> machine_rate() const;
};

struct BenchReport {
  std::string model;
  std::uint32_t width = 0, height = 0, steps = 0, threads = 0;  // threads 0 = all
  std::int64_t runs = 0;
  std::vector<EngineBench> engines;
  std::vector<std::string> notes;  // engines left out and why
};

OrderedJson bench_json(const BenchReport& report);
std::string bench_text(const BenchReport& report);

}  // namespace roundhouse::host
