// SPDX-License-Identifier: Apache-2.0
// Measurements of `roundhouse bench`.
#include "host/cli/bench_report.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "host/cli/program.h"
#include "host/cli/text.h"

namespace roundhouse::host {
namespace {

constexpr std::array<const char*, 3> kStages = {"encode", "denoise", "decode"};

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

// Operations per second of the median run; nothing when the engine does not count.
std::optional<double> rate(const StageBench& stage) {
  const double seconds = stage.milliseconds.median() / 1000;
  if (stage.operations == 0 || seconds <= 0) return std::nullopt;
  return static_cast<double>(stage.operations) / seconds;
}

OrderedJson samples_json(const Samples& samples) {
  return {{"median_ms", rounded(samples.median())},
          {"min_ms", rounded(samples.minimum())},
          {"max_ms", rounded(samples.maximum())}};
}

OrderedJson gflops(const std::optional<double>& rate) {
  return rate ? OrderedJson(rounded(*rate / 1e9)) : OrderedJson();
}

OrderedJson engine_json(const EngineBench& bench) {
  OrderedJson json;
  json["engine"] = bench.engine;
  json["version"] = bench.version;
  json["startup"] = samples_json(bench.startup_milliseconds);
  json["stages"] = OrderedJson::object();
  for (const auto& [name, stage] : bench.stages) {
    OrderedJson row = samples_json(stage.milliseconds);
    row["operations"] = stage.operations;
    row["gflops"] = gflops(rate(stage));
    const auto stage_rate = rate(stage);
    const auto machine = bench.machine_rate();
    row["share_of_sgemm"] =
        stage_rate && machine ? OrderedJson(rounded(*stage_rate / *machine)) : OrderedJson();
    json["stages"][name] = row;
  }
  json["step"] = samples_json(bench.step_milliseconds);
  json["peak_memory_bytes"] = bench.peak_memory_bytes;
  json["sgemm_gflops"] = {{"before", gflops(bench.rate_before)}, {"after", gflops(bench.rate_after)}};
  return json;
}

double denoise_median(const EngineBench& bench) {
  const auto found = bench.stages.find("denoise");
  return found == bench.stages.end() ? 0 : found->second.milliseconds.median();
}

// How many times the denoise time of the fastest engine each engine takes.
std::vector<std::pair<std::string, double>> denoise_ratios(const BenchReport& report) {
  double best = 0;
  for (const EngineBench& bench : report.engines) {
    const double median = denoise_median(bench);
    if (median > 0 && (best == 0 || median < best)) best = median;
  }
  std::vector<std::pair<std::string, double>> ratios;
  for (const EngineBench& bench : report.engines) {
    if (best > 0) ratios.emplace_back(bench.engine, denoise_median(bench) / best);
  }
  return ratios;
}

std::string row(const std::array<std::string, 6>& cells) {
  std::array<char, 160> line{};
  std::snprintf(line.data(), line.size(), "%-12s %-9s %11s  %-19s %9s %9s", cells[0].c_str(),
                cells[1].c_str(), cells[2].c_str(), cells[3].c_str(), cells[4].c_str(), cells[5].c_str());
  std::string text = line.data();
  while (text.ends_with(' '))
    text.pop_back();
  return text + "\n";
}

std::string time_row(const std::string& engine, const std::string& name, const Samples& samples,
                     const std::string& rate, const std::string& share) {
  return row({engine, name, fixed(samples.median(), 1),
              fixed(samples.minimum(), 1) + " - " + fixed(samples.maximum(), 1), rate, share});
}

std::string stage_row(const std::string& name, const StageBench& stage,
                      const std::optional<double>& machine) {
  const auto stage_rate = rate(stage);
  return time_row("", name, stage.milliseconds, stage_rate ? fixed(*stage_rate / 1e9, 1) : "",
                  stage_rate && machine ? fixed(100 * *stage_rate / *machine, 0) + " %" : "");
}

std::string engine_text(const EngineBench& bench) {
  const auto machine = bench.machine_rate();
  std::string text = time_row(bench.engine, "start-up", bench.startup_milliseconds, "", "");
  for (const char* name : kStages) {
    const auto found = bench.stages.find(name);
    if (found != bench.stages.end()) text += stage_row(name, found->second, machine);
  }
  if (!bench.step_milliseconds.empty()) text += time_row("", "a step", bench.step_milliseconds, "", "");
  if (machine) {
    text += row({"", "sgemm", "", "", fixed(*machine / 1e9, 1), "100 %"});
  }
  return text + row({"", "peak", human_bytes(bench.peak_memory_bytes), "", "", ""});
}

}  // namespace

double Samples::median() const {
  if (values_.empty()) return 0;
  std::vector<double> sorted = values_;
  std::sort(sorted.begin(), sorted.end());
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double Samples::minimum() const {
  return values_.empty() ? 0 : *std::min_element(values_.begin(), values_.end());
}

double Samples::maximum() const {
  return values_.empty() ? 0 : *std::max_element(values_.begin(), values_.end());
}

std::optional<double> EngineBench::machine_rate() const {
  if (!rate_before || !rate_after) return rate_before ? rate_before : rate_after;
  return (*rate_before + *rate_after) / 2;
}

OrderedJson bench_json(const BenchReport& report) {
  OrderedJson json;
  json["model"] = report.model;
  json["width"] = report.width;
  json["height"] = report.height;
  json["steps"] = report.steps;
  json["runs"] = report.runs;
  json["threads"] = report.threads == 0 ? OrderedJson() : OrderedJson(report.threads);
  json["engines"] = OrderedJson::array();
  for (const EngineBench& bench : report.engines)
    json["engines"].push_back(engine_json(bench));
  json["denoise_times_the_fastest"] = OrderedJson::object();
  for (const auto& [engine, ratio] : denoise_ratios(report))
    json["denoise_times_the_fastest"][engine] = rounded(ratio);
  json["notes"] = report.notes;
  json["version"] = program_version();
  return json;
}

std::string bench_text(const BenchReport& report) {
  std::string text = (report.model.empty() ? "" : report.model + " ") + std::to_string(report.width) + "x" +
                     std::to_string(report.height) + ", " + std::to_string(report.steps) + " steps, " +
                     std::to_string(report.runs) + " runs\n\n";
  text += row({"engine", "stage", "median ms", "from - to", "GFLOP/s", "of sgemm"});
  for (const EngineBench& bench : report.engines)
    text += engine_text(bench);
  text += "\n";
  for (const auto& [engine, ratio] : denoise_ratios(report)) {
    if (ratio > 1)
      text += engine + " takes " + fixed(ratio, 1) + " times as long as the fastest in denoise\n";
  }
  for (const std::string& note : report.notes)
    text += "note: " + one_line(note) + "\n";
  return text;
}

}  // namespace roundhouse::host
