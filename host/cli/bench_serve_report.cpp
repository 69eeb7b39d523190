// SPDX-License-Identifier: Apache-2.0
// What `roundhouse bench serve` prints.
#include <fmt/format.h>

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "host/cli/bench_serve.h"
#include "host/cli/text.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

OrderedJson figures_json(const DaemonFigures& figures) {
  return {{"daemon_bytes", figures.daemon_bytes},
          {"worker_bytes", figures.worker_bytes},
          {"descriptors", figures.descriptors},
          {"processes", figures.processes}};
}

std::string line(const std::string& label, const std::string& value, const std::string& more = "") {
  std::array<char, 200> text{};
  std::snprintf(text.data(), text.size(), "%-26s %12s  %s", label.c_str(), value.c_str(), more.c_str());
  std::string all = text.data();
  while (all.ends_with(' '))
    all.pop_back();
  return all + "\n";
}

std::string time_line(const std::string& label, const Samples& samples) {
  return line(label, fixed(samples.median(), 1) + " ms",
              fixed(samples.minimum(), 1) + " - " + fixed(samples.maximum(), 1));
}

std::string overhead_text(const BenchServeReport& report) {
  const OverheadBench& bench = report.overhead;
  return fmt::format(
      "\n{} on {}, {}x{}, {} steps: {} images by the daemon and by a worker in turn\n{}{}{}{}{}", bench.model,
      bench.engine, bench.width, bench.height, bench.steps, report.runs,
      time_line("request", bench.request_milliseconds),
      time_line("the engine's own time", bench.engine_milliseconds),
      time_line("the rest", bench.rest_milliseconds),
      line("overhead", fixed(bench.overhead_percent(), 1) + " %",
           "of the engine's own time; the goal is less than " + fixed(kOverheadGoal, 0) + " %"),
      time_line("a worker without a daemon", bench.direct_milliseconds));
}

std::string cancel_text(const CancelBench& bench) {
  std::string text =
      fmt::format("\n{} images begun and cancelled, {} in the middle, in {} s\n{}", bench.cycles,
                  bench.at_work, fixed(bench.seconds, 1), line("", "before", "after"));
  const auto row = [&](const char* label, const std::string& before, const std::string& after) {
    text += line(label, before, after);
  };
  row("daemon's memory", human_bytes(bench.before.daemon_bytes), human_bytes(bench.after.daemon_bytes));
  row("workers' memory", human_bytes(bench.before.worker_bytes), human_bytes(bench.after.worker_bytes));
  row("descriptors", std::to_string(bench.before.descriptors), std::to_string(bench.after.descriptors));
  row("processes", std::to_string(bench.before.processes), std::to_string(bench.after.processes));
  return text;
}

std::string crowd_text(const CrowdBench& bench) {
  std::string text = fmt::format(
      "\n{} clients at once, a queue of {}: {} right images, {} told 503, {} wrong answers, in {} s\n",
      bench.clients, kCrowdQueue, bench.right, bench.refused, bench.wrong, fixed(bench.seconds, 2));
  for (const std::string& problem : bench.problems)
    text += "wrong: " + one_line(problem) + "\n";
  return text;
}

}  // namespace

OrderedJson bench_serve_json(const BenchServeReport& report) {
  const OverheadBench& overhead = report.overhead;
  OrderedJson json;
  json["first_answer"] = samples_json(report.first_answer_milliseconds);
  json["first_image"] = samples_json(report.first_image_milliseconds);
  json["overhead"] = {{"model", overhead.model},
                      {"engine", overhead.engine},
                      {"width", overhead.width},
                      {"height", overhead.height},
                      {"steps", overhead.steps},
                      {"runs", report.runs},
                      {"request", samples_json(overhead.request_milliseconds)},
                      {"engine_time", samples_json(overhead.engine_milliseconds)},
                      {"rest", samples_json(overhead.rest_milliseconds)},
                      {"direct", samples_json(overhead.direct_milliseconds)},
                      {"percent", overhead.overhead_percent()},
                      {"goal_percent", kOverheadGoal}};
  json["cancel"] = {{"cycles", report.cancel.cycles},
                    {"at_work", report.cancel.at_work},
                    {"seconds", report.cancel.seconds},
                    {"before", figures_json(report.cancel.before)},
                    {"after", figures_json(report.cancel.after)}};
  json["crowd"] = {{"clients", report.crowd.clients}, {"queue", kCrowdQueue},
                   {"right", report.crowd.right},     {"refused", report.crowd.refused},
                   {"wrong", report.crowd.wrong},     {"problems", report.crowd.problems},
                   {"seconds", report.crowd.seconds}};
  json["health_per_second"] = {{"connections_1", report.health_rate_one},
                               {fmt::format("connections_{}", kHealthConnections), report.health_rate_many}};
  json["load"] = report.load;
  json["processors"] = report.processors;
  json["version"] = program_version();
  return json;
}

std::string bench_serve_text(const BenchServeReport& report) {
  return fmt::format(
      "a daemon, {} times, on {} processors with a load of {} beforehand\n{}{}{}{}{}\nGET /health: {} a "
      "second on 1 connection, {} on {}\n",
      report.starts, report.processors, fixed(report.load, 1),
      time_line("start to first answer", report.first_answer_milliseconds),
      time_line("start to first image", report.first_image_milliseconds), overhead_text(report),
      cancel_text(report.cancel), crowd_text(report.crowd), fixed(report.health_rate_one, 0),
      fixed(report.health_rate_many, 0), kHealthConnections);
}

}  // namespace roundhouse::host
