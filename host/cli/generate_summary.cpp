// SPDX-License-Identifier: Apache-2.0
// What a run reports when it is done.
#include "host/cli/generate_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "host/cli/program.h"
#include "host/cli/text.h"
#include "host/output/metadata.h"
#include "host/text/json_text.h"
#include "host/text/list.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

// Milliseconds with microseconds, as people and diffs like them.
double rounded(double milliseconds) {
  return std::round(milliseconds * 1000) / 1000;
}

double stage_milliseconds(const SavedImage& image, const std::string& stage) {
  double sum = 0;
  for (const StageTiming& timing : image.stages) {
    if (timing.stage == stage) sum += timing.milliseconds;
  }
  return sum;
}

double stage_milliseconds(const RunRecord& run, const std::string& stage) {
  double sum = 0;
  for (const SavedImage& image : run.images)
    sum += stage_milliseconds(image, stage);
  return sum;
}

double save_milliseconds(const RunRecord& run) {
  double sum = 0;
  for (const SavedImage& image : run.images)
    sum += image.save_milliseconds;
  return sum;
}

// Until the first image could begin, and what images had to load or make before a stage.
double load_milliseconds(const RunRecord& run) {
  return run.load_milliseconds + stage_milliseconds(run, "load");
}

OrderedJson steps_json(const std::vector<double>& steps) {
  OrderedJson json = OrderedJson::array();
  for (const double step : steps)
    json.push_back(rounded(step));
  return json;
}

OrderedJson stage_peaks_json(const std::vector<StageTiming>& stages) {
  OrderedJson json = OrderedJson::object();
  for (const StageTiming& stage : stages)
    json[stage.stage] = stage.peak_memory_bytes;
  return json;
}

// "encode 1.2 GB, denoise 6.9 GB with 300 MB of activations, decode 1.4 GB": of the image that took most in
// each, and what made the highest of them.
std::string stage_peaks_text(const RunRecord& run) {
  std::vector<StageTiming> highest;
  for (const char* name : {"encode", "denoise", "decode"}) {
    StageTiming most{.stage = name};
    for (const SavedImage& image : run.images) {
      for (const StageTiming& stage : image.stages) {
        if (stage.stage == name && stage.peak_memory_bytes > most.peak_memory_bytes) most = stage;
      }
    }
    if (most.peak_memory_bytes > 0) highest.push_back(most);
  }
  const auto peak = std::ranges::max_element(highest, {}, &StageTiming::peak_memory_bytes);
  std::vector<std::string> parts;
  for (auto stage = highest.begin(); stage != highest.end(); ++stage) {
    std::string text = stage->stage + " " + human_bytes(stage->peak_memory_bytes);
    if (stage == peak && stage->activation_bytes > 0)
      text += " with " + human_bytes(stage->activation_bytes) + " of activations";
    parts.push_back(std::move(text));
  }
  return joined(parts);
}

OrderedJson image_json(const SavedImage& image) {
  OrderedJson json;
  json["seed"] = image.seed;
  json["file"] = image.file.string();
  json["step_ms"] = steps_json(image.step_milliseconds);
  OrderedJson timings;
  for (const char* stage : {"load", "encode", "denoise", "decode"})
    timings[stage] = rounded(stage_milliseconds(image, stage));
  timings["save"] = rounded(image.save_milliseconds);
  json["timings_ms"] = timings;
  json["peak_memory_bytes"] = stage_peaks_json(image.stages);
  return json;
}

// "dtype.encode" of the model's facts as {"encode": ...}.
OrderedJson dtypes_json(const Facts& facts) {
  const std::string prefix = "dtype.";
  OrderedJson json = OrderedJson::object();
  for (const auto& [key, value] : facts) {
    if (key.starts_with(prefix)) json[key.substr(prefix.size())] = value;
  }
  return json;
}

OrderedJson nullable(const std::optional<std::string>& text) {
  return text ? OrderedJson(*text) : OrderedJson();
}

std::string seeds_text(const RunRecord& run) {
  std::vector<std::string> seeds;
  for (const SavedImage& image : run.images)
    seeds.push_back(std::to_string(image.seed));
  return joined(seeds);
}

std::string dtypes_text(const Facts& facts) {
  std::vector<std::string> parts;
  const OrderedJson dtypes = dtypes_json(facts);
  for (const auto& [stage, dtype] : dtypes.items())
    parts.push_back(stage + " " + dtype.get<std::string>());
  return joined(parts, "; ");
}

std::string engine_text(const RunRecord& run) {
  std::string text = run.engine + " " + run.opened.engine.version;
  for (const auto& [key, value] : run.opened.engine.facts) {
    if (key == "threads") text += ", " + value + (value == "1" ? " thread" : " threads");
    if (key == "simd") text += ", " + value;
  }
  return text;
}

}  // namespace

OrderedJson verdicts_json(const Decision& decision) {
  OrderedJson json = OrderedJson::array();
  for (const Verdict& verdict : decision.verdicts) {
    OrderedJson row;
    row["engine"] = verdict.engine;
    row["chosen"] = verdict.chosen;
    row["code"] = verdict.refusal ? OrderedJson(status_name(verdict.refusal->code())) : OrderedJson();
    row["reason"] = verdict.reason;
    json.push_back(row);
  }
  return json;
}

std::string verdicts_text(const Decision& decision, std::size_t width) {
  std::string text = "engines considered\n";
  for (const Verdict& verdict : decision.verdicts) {
    std::string reason = verdict.chosen ? "chosen" : "not chosen";
    if (verdict.refusal) reason = std::string("cannot: ") + std::string(status_name(verdict.refusal->code()));
    if (!verdict.reason.empty()) reason += ": " + verdict.reason;
    text += labelled(verdict.engine, reason, width);
  }
  return text;
}

OrderedJson summary_json(const RunRecord& run) {
  const ImageTask& job = run.plan.job;
  OrderedJson json;
  json["engine"] = run.engine;
  json["engine_version"] = run.opened.engine.version;
  json["model"] = name_of(run.plan.model).empty() ? OrderedJson() : OrderedJson(name_of(run.plan.model));
  json["device"] = run.plan.device;
  json["dtype"] = dtypes_json(run.opened.model);
  json["seed"] = job.seed;
  json["width"] = job.width;
  json["height"] = job.height;
  json["steps"] = job.steps;
  json["guidance"] = job.guidance;
  json["cfg_normalization"] = job.cfg_normalization;
  json["cfg_truncation"] = job.cfg_truncation;
  json["sampler"] = nullable(used_sampler(job, run.opened.engine));
  json["schedule"] = nullable(used_schedule(job, run.opened.engine));
  json["seeds"] = OrderedJson::array();
  json["files"] = OrderedJson::array();
  json["images"] = OrderedJson::array();
  json["step_ms"] = OrderedJson::array();
  for (const SavedImage& image : run.images) {
    json["seeds"].push_back(image.seed);
    json["files"].push_back(image.file.string());
    json["images"].push_back(image_json(image));
    for (const double step : image.step_milliseconds)
      json["step_ms"].push_back(rounded(step));
  }
  OrderedJson timings;
  timings["start"] = rounded(run.start_milliseconds);
  timings["load"] = rounded(load_milliseconds(run));
  for (const char* stage : {"encode", "denoise", "decode"})
    timings[stage] = rounded(stage_milliseconds(run, stage));
  timings["save"] = rounded(save_milliseconds(run));
  timings["total"] = rounded(run.total_milliseconds);
  json["timings_ms"] = timings;
  json["peak_memory_bytes"] = run.peak_memory_bytes;
  json["notes"] = run.notes;
  json["version"] = program_version();
  return json;
}

std::string summary_text(const RunRecord& run, std::size_t width) {
  const ImageTask& job = run.plan.job;
  std::string text;
  const auto line = [&](const char* label, const std::string& value) {
    if (!value.empty()) text += labelled(label, value, width);
  };
  for (const SavedImage& image : run.images)
    text += one_line(image.file.string()) + "\n";
  line("engine", engine_text(run));
  line("model", name_of(run.plan.model));
  line("device", run.plan.device);
  line("dtype", dtypes_text(run.opened.model));
  line("size", fmt::format("{}x{}", job.width, job.height));
  std::string steps = std::to_string(job.steps);
  if (const auto sampler = used_sampler(job, run.opened.engine)) steps += ", " + *sampler;
  if (const auto schedule = used_schedule(job, run.opened.engine)) steps += " on " + *schedule;
  if (job.guidance > 0) steps += ", guidance " + json_text(OrderedJson(job.guidance));
  line("steps", steps);
  line(run.images.size() > 1 ? "seeds" : "seed", seeds_text(run));
  std::vector<std::string> times = {"load " + human_milliseconds(load_milliseconds(run))};
  for (const char* stage : {"encode", "denoise", "decode"}) {
    times.push_back(std::string(stage) + " " + human_milliseconds(stage_milliseconds(run, stage)));
  }
  times.push_back("save " + human_milliseconds(save_milliseconds(run)));
  times.push_back("total " + human_milliseconds(run.total_milliseconds));
  line("time", joined(times));
  const std::string peaks = stage_peaks_text(run);
  line("peak memory", human_bytes(run.peak_memory_bytes) + (peaks.empty() ? "" : " (" + peaks + ")"));
  for (const std::string& note : run.notes)
    line("note", note);
  return text;
}

}  // namespace roundhouse::host
