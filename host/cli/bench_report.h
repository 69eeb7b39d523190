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
  std::uint64_t peak_memory_bytes = 0;
};

// What a product gave, in operations per second: before the first run, between runs and after the last.
class Rates {
 public:
  void add(const std::optional<double>& rate) {
    if (rate) samples_.add(*rate);
  }
  std::optional<double> median() const {
    return samples_.empty() ? std::nullopt : std::optional(samples_.median());
  }
  const Samples& samples() const { return samples_; }

 private:
  Samples samples_;
};

// One engine in one case.
struct EngineBench {
  std::string engine, version;
  std::string weights;                                          // "stored", "q8_0", ...
  std::uint32_t width = 0, height = 0, steps = 0, threads = 0;  // threads 0 = all
  Samples startup_milliseconds;  // worker, plugin and model, until the image could begin
  Samples load_milliseconds;     // weights that had to be made for the image
  std::map<std::string, StageBench> stages;
  Samples step_milliseconds;
  std::uint64_t peak_memory_bytes = 0;
  Rates sgemm;               // the machine's own f32 product
  Rates product;             // the engine's own preferred product, where that is another
  std::string product_name;  // "bf16"
};

struct BenchReport {
  std::string model;
  std::int64_t runs = 0;
  std::vector<std::string> stages;  // those to show
  std::vector<EngineBench> engines;
  std::vector<std::string> notes;  // engines left out and why
};

// {median_ms, min_ms, max_ms}
OrderedJson samples_json(const Samples& samples);
OrderedJson bench_json(const BenchReport& report);
std::string bench_text(const BenchReport& report);

}  // namespace roundhouse::host
