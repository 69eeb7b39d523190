// SPDX-License-Identifier: Apache-2.0
// Stages with their time and memory, and what it comes to.
#include "host/cli/generate_estimate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "host/cli/program.h"
#include "host/cli/text.h"
#include "host/text/list.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

double total_milliseconds(const Estimate& estimate) {
  double sum = 0;
  for (const StageEstimate& stage : estimate.stages)
    sum += stage.milliseconds;
  return sum;
}

std::uint64_t peak_bytes(const Estimate& estimate) {
  std::uint64_t peak = 0;
  for (const StageEstimate& stage : estimate.stages)
    peak = std::max(peak, stage.peak_memory_bytes);
  return peak;
}

const StageEstimate* highest_stage(const Estimate& estimate) {
  const auto highest = std::ranges::max_element(estimate.stages, {}, &StageEstimate::peak_memory_bytes);
  return highest == estimate.stages.end() ? nullptr : &*highest;
}

// "transformer 5.2 GB, activations 310 MB": the parts that make up nearly all of it, largest first.
std::string parts_text(std::vector<MemoryPart> parts) {
  constexpr std::size_t most = 3;
  std::ranges::stable_sort(parts, std::greater<>(), &MemoryPart::bytes);
  std::vector<std::string> texts;
  for (const MemoryPart& part : parts) {
    const std::string where = part.device == "cpu" ? "" : " on " + part.device;
    if (texts.size() < most) texts.push_back(part.part + " " + human_bytes(part.bytes) + where);
  }
  return joined(texts);
}

// "denoise: transformer 5.2 GB, ...", or nothing where the engine does not tell.
std::string peak_text(const Estimate& estimate) {
  const StageEstimate* const highest = highest_stage(estimate);
  if (highest == nullptr || highest->memory.empty()) return "";
  return " (" + highest->stage + ": " + parts_text(highest->memory) + ")";
}

OrderedJson memory_json(const std::vector<MemoryPart>& parts) {
  OrderedJson json = OrderedJson::array();
  for (const MemoryPart& part : parts)
    json.push_back({{"device", part.device}, {"part", part.part}, {"bytes", part.bytes}});
  return json;
}

OrderedJson nullable(const std::string& text) {
  return text.empty() ? OrderedJson() : OrderedJson(text);
}

}  // namespace

OrderedJson estimate_json(const GeneratePlan& plan, const EstimateResult& result) {
  OrderedJson json;
  json["engine"] = result.engine;
  json["engine_version"] = result.report.version;
  json["model"] = nullable(name_of(plan.model));
  json["width"] = plan.job.width;
  json["height"] = plan.job.height;
  json["steps"] = plan.job.steps;
  json["memory_limit_bytes"] =
      plan.memory_limit_bytes == 0 ? OrderedJson() : OrderedJson(plan.memory_limit_bytes);
  json["stages"] = OrderedJson::object();
  for (const StageEstimate& stage : result.estimate.stages) {
    json["stages"][stage.stage] = {{"ms", std::round(stage.milliseconds * 1000) / 1000},
                                   {"operations", stage.operations},
                                   {"peak_memory_bytes", stage.peak_memory_bytes},
                                   {"memory", memory_json(stage.memory)}};
  }
  json["total_ms"] = std::round(total_milliseconds(result.estimate) * 1000) / 1000;
  json["peak_memory_bytes"] = peak_bytes(result.estimate);
  json["held_memory_bytes"] = result.estimate.held_memory_bytes;
  json["held_memory"] = memory_json(result.estimate.held_memory);
  json["devices"] = OrderedJson::object();
  for (const auto& [device, bytes] : peaks_by_device(result.estimate))
    json["devices"][device] = {{"peak_memory_bytes", bytes}};
  json["notes"] = result.notes;
  json["version"] = program_version();
  return json;
}

std::string estimate_text(const GeneratePlan& plan, const EstimateResult& result, std::size_t width) {
  std::string text;
  const auto line = [&](const std::string& label, const std::string& value) {
    if (!value.empty()) text += labelled(label, value, width);
  };
  line("engine", result.engine + " " + result.report.version);
  line("model", name_of(plan.model));
  line("size", fmt::format("{}x{}, {} steps", plan.job.width, plan.job.height, plan.job.steps));
  for (const StageEstimate& stage : result.estimate.stages)
    line(stage.stage, human_milliseconds(stage.milliseconds) + ", " + human_bytes(stage.peak_memory_bytes));
  line("total", human_milliseconds(total_milliseconds(result.estimate)) + " for an image");
  line("peak memory",
       human_bytes(peak_bytes(result.estimate)) + peak_text(result.estimate) +
           (plan.memory_limit_bytes == 0 ? "" : " of " + human_bytes(plan.memory_limit_bytes)));
  line("held memory", human_bytes(result.estimate.held_memory_bytes) + " between two images");
  for (const std::string& note : result.notes)
    line("note", note);
  return text;
}

}  // namespace roundhouse::host
