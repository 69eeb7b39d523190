// SPDX-License-Identifier: Apache-2.0
// Measurements of `roundhouse bench`.
#include "host/cli/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/cli/program.h"
#include "host/cli/text.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

// Operations per second of the median run; nothing when the engine does not count.
std::optional<double> rate(const StageBench& stage) {
  const double seconds = stage.milliseconds.median() / 1000;
  if (stage.operations == 0 || seconds <= 0) return std::nullopt;
  return static_cast<double>(stage.operations) / seconds;
}

OrderedJson gflops(const std::optional<double>& rate) {
  return rate ? OrderedJson(rounded(*rate / 1e9)) : OrderedJson();
}

OrderedJson rates_json(const Rates& rates) {
  if (rates.samples().empty()) return {};
  return {{"median", gflops(rates.median())},
          {"min", gflops(rates.samples().minimum())},
          {"max", gflops(rates.samples().maximum())}};
}

OrderedJson share(const std::optional<double>& rate, const Rates& machine) {
  const auto whole = machine.median();
  return rate && whole ? OrderedJson(rounded(*rate / *whole)) : OrderedJson();
}

// The rate of a median step.
std::optional<double> step_rate(const EngineBench& bench) {
  const auto denoise = bench.stages.find("denoise");
  const double seconds = bench.step_milliseconds.median() / 1000;
  if (denoise == bench.stages.end() || denoise->second.operations == 0 || seconds <= 0) return std::nullopt;
  return static_cast<double>(denoise->second.operations) / bench.steps / seconds;
}

void add_rate(OrderedJson& row, const std::optional<double>& rate, const EngineBench& bench) {
  row["gflops"] = gflops(rate);
  row["share_of_sgemm"] = share(rate, bench.sgemm);
  row["share_of_product"] = share(rate, bench.product);
}

OrderedJson engine_json(const EngineBench& bench, const std::vector<std::string>& stages) {
  OrderedJson json;
  json["engine"] = bench.engine;
  json["version"] = bench.version;
  json["width"] = bench.width;
  json["height"] = bench.height;
  json["steps"] = bench.steps;
  json["weights"] = bench.weights;
  json["threads"] = bench.threads == 0 ? OrderedJson() : OrderedJson(bench.threads);
  json["startup"] = samples_json(bench.startup_milliseconds);
  json["load"] = samples_json(bench.load_milliseconds);
  json["stages"] = OrderedJson::object();
  for (const std::string& name : stages) {
    const auto stage = bench.stages.find(name);
    if (stage == bench.stages.end()) continue;
    OrderedJson row = samples_json(stage->second.milliseconds);
    row["operations"] = stage->second.operations;
    add_rate(row, rate(stage->second), bench);
    row["peak_memory_bytes"] = stage->second.peak_memory_bytes;
    json["stages"][name] = row;
  }
  json["step"] = samples_json(bench.step_milliseconds);
  add_rate(json["step"], step_rate(bench), bench);
  json["peak_memory_bytes"] = bench.peak_memory_bytes;
  json["sgemm_gflops"] = rates_json(bench.sgemm);
  json["product"] = bench.product_name.empty() ? OrderedJson() : OrderedJson(bench.product_name);
  json["product_gflops"] = rates_json(bench.product);
  return json;
}

double denoise_median(const EngineBench& bench) {
  const auto found = bench.stages.find("denoise");
  return found == bench.stages.end() ? 0 : found->second.milliseconds.median();
}

bool same_case(const EngineBench& a, const EngineBench& b) {
  return a.width == b.width && a.height == b.height && a.weights == b.weights && a.threads == b.threads;
}

// How many times the denoise time of the fastest engine of its case an engine takes; 0 when that is not
// known.
double denoise_ratio(const BenchReport& report, const EngineBench& bench) {
  double best = 0;
  for (const EngineBench& other : report.engines) {
    const double median = denoise_median(other);
    if (same_case(other, bench) && median > 0 && (best == 0 || median < best)) best = median;
  }
  return best > 0 ? denoise_median(bench) / best : 0;
}

std::string row(const std::array<std::string, 7>& cells) {
  std::array<char, 200> line{};
  std::snprintf(line.data(), line.size(), "%-10s %-9s %11s  %-21s %9s %9s %10s", cells[0].c_str(),
                cells[1].c_str(), cells[2].c_str(), cells[3].c_str(), cells[4].c_str(), cells[5].c_str(),
                cells[6].c_str());
  std::string text = line.data();
  while (text.ends_with(' '))
    text.pop_back();
  return text + "\n";
}

std::string percent(const std::optional<double>& rate, const Rates& machine) {
  const auto whole = machine.median();
  return rate && whole ? fixed(100 * *rate / *whole, 0) + " %" : "";
}

std::string time_row(const std::string& engine, const std::string& name, const Samples& samples,
                     const std::optional<double>& rate, const EngineBench& bench) {
  return row({engine, name, fixed(samples.median(), 1),
              fixed(samples.minimum(), 1) + " - " + fixed(samples.maximum(), 1),
              rate ? fixed(*rate / 1e9, 1) : "", percent(rate, bench.sgemm), percent(rate, bench.product)});
}

std::string rate_row(const std::string& name, const Rates& rates) {
  if (rates.samples().empty()) return {};
  return row({"", name, "",
              fixed(rates.samples().minimum() / 1e9, 1) + " - " + fixed(rates.samples().maximum() / 1e9, 1),
              fixed(*rates.median() / 1e9, 1), "", ""});
}

std::string case_text(const EngineBench& bench) {
  return fmt::format("{}x{}, {}{}, weights {}{}", bench.width, bench.height, bench.steps,
                     (bench.steps == 1 ? " step" : " steps"), bench.weights,
                     (bench.threads == 0 ? "" : fmt::format(", {} threads", bench.threads)));
}

std::string engine_text(const EngineBench& bench, const std::vector<std::string>& stages) {
  std::string text = time_row(bench.engine, "start-up", bench.startup_milliseconds, std::nullopt, bench);
  if (!bench.load_milliseconds.empty())
    text += time_row("", "load", bench.load_milliseconds, std::nullopt, bench);
  std::string peaks;
  for (const std::string& name : stages) {
    const auto found = bench.stages.find(name);
    if (found == bench.stages.end()) continue;
    text += time_row("", name, found->second.milliseconds, rate(found->second), bench);
    if (name == "denoise" && !bench.step_milliseconds.empty())
      text += time_row("", "a step", bench.step_milliseconds, step_rate(bench), bench);
    peaks += (peaks.empty() ? "" : ", ") + name + " " + human_bytes(found->second.peak_memory_bytes);
  }
  text += rate_row("sgemm", bench.sgemm);
  text += rate_row(bench.product_name.empty() ? "product" : bench.product_name, bench.product);
  return text + "           peak memory " + human_bytes(bench.peak_memory_bytes) +
         (peaks.empty() ? "" : " (" + peaks + ")") + "\n";
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

OrderedJson samples_json(const Samples& samples) {
  return {{"median_ms", rounded(samples.median())},
          {"min_ms", rounded(samples.minimum())},
          {"max_ms", rounded(samples.maximum())}};
}

OrderedJson bench_json(const BenchReport& report) {
  OrderedJson json;
  json["model"] = report.model;
  json["runs"] = report.runs;
  json["engines"] = OrderedJson::array();
  for (const EngineBench& bench : report.engines) {
    OrderedJson engine = engine_json(bench, report.stages);
    const double ratio = denoise_ratio(report, bench);
    engine["denoise_times_the_fastest"] = ratio > 0 ? OrderedJson(rounded(ratio)) : OrderedJson();
    json["engines"].push_back(engine);
  }
  json["notes"] = report.notes;
  json["version"] = program_version();
  return json;
}

std::string bench_text(const BenchReport& report) {
  std::string text = fmt::format("{}{}{} of each\n", (report.model.empty() ? "" : report.model + ", "),
                                 report.runs, (report.runs == 1 ? " run" : " runs"));
  const EngineBench* previous = nullptr;
  for (const EngineBench& bench : report.engines) {
    if (previous == nullptr || !same_case(*previous, bench)) {
      text += "\n" + case_text(bench) + "\n";
      text += row({"engine", "stage", "median ms", "from - to", "GFLOP/s", "of sgemm", "of product"});
    }
    text += engine_text(bench, report.stages);
    const double ratio = denoise_ratio(report, bench);
    if (ratio > 1) text += "           " + fixed(ratio, 1) + " times the denoise time of the fastest\n";
    previous = &bench;
  }
  if (!report.notes.empty()) text += "\n";
  for (const std::string& note : report.notes)
    text += "note: " + one_line(note) + "\n";
  return text;
}

}  // namespace roundhouse::host
