// SPDX-License-Identifier: Apache-2.0
// The two texts inside an image.
#include "host/output/metadata.h"
#include "host/text/json_text.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

namespace roundhouse::host {
namespace {

std::optional<std::string> first_capability(const EngineReport& engine, const std::string& group) {
  const auto found = engine.capabilities.find(group);
  if (found == engine.capabilities.end() || found->second.empty()) return std::nullopt;
  return found->second.front();
}

// guidance + 1 without the noise of binary fractions: 0.1 is 1.1, not 1.1000000000000001.
std::string cfg_scale(double guidance) {
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), guidance + 1, std::chars_format::general, 12).ptr;
  return {text.data(), end};
}

}  // namespace

std::optional<std::string> used_sampler(const ImageTask& job, const EngineReport& engine) {
  return job.sampler ? job.sampler : first_capability(engine, "sampler");
}

std::optional<std::string> used_schedule(const ImageTask& job, const EngineReport& engine) {
  if (job.schedule) return job.schedule;
  // Each sampler has its own default: the first of its group, or, where the engine lists no such groups, the
  // first schedule for the first sampler.
  const auto sampler = used_sampler(job, engine);
  if (sampler) {
    if (const auto schedule = first_capability(engine, "schedule." + *sampler)) return schedule;
  }
  if (sampler != first_capability(engine, "sampler")) return std::nullopt;
  return first_capability(engine, "schedule");
}

std::string a1111_sampler(const std::string& sampler) {
  if (sampler == "euler") return "Euler";
  if (sampler == "dpmpp-2m") return "DPM++ 2M";
  if (sampler == "dpmpp-2m-sde") return "DPM++ 2M SDE";
  return sampler;
}

std::string a1111_value(const std::string& value) {
  if (value.find_first_of(",:\"\n\r") == std::string::npos) return value;
  return json_text(nlohmann::json(value));
}

std::string a1111_parameters(const ImageMetadata& record) {
  const ImageTask& job = record.job;
  std::string text = job.prompt;
  if (job.negative_prompt && !job.negative_prompt->empty()) {
    text += "\nNegative prompt: " + *job.negative_prompt;
  }
  text += fmt::format("\nSteps: {}", job.steps);
  if (record.sampler) text += ", Sampler: " + a1111_value(a1111_sampler(*record.sampler));
  if (record.schedule) text += ", Schedule type: " + a1111_value(*record.schedule);
  text += ", CFG scale: " + cfg_scale(job.guidance);
  text += fmt::format(", Seed: {}", job.seed);
  text += fmt::format(", Size: {}x{}", job.width, job.height);
  if (job.init) text += fmt::format(", Denoising strength: {}", job.init->strength);
  if (job.init && !job.init->mask.empty()) text += ", Mask: yes";
  if (!record.model.empty()) text += ", Model: " + a1111_value(record.model);
  text += ", Engine: " + a1111_value(record.engine);
  text += ", Version: " + a1111_value("roundhouse " + record.version);
  return text;
}

std::string record_json(const ImageMetadata& record) {
  const ImageTask& job = record.job;
  nlohmann::ordered_json json;
  json["schema"] = 1;
  json["prompt"] = job.prompt;
  json["negative_prompt"] = job.negative_prompt ? nlohmann::json(*job.negative_prompt) : nlohmann::json();
  json["model"] = record.model.empty() ? nlohmann::json() : nlohmann::json(record.model);
  json["engine"] = record.engine;
  json["engine_version"] = record.engine_version;
  json["seed"] = job.seed;
  json["width"] = job.width;
  json["height"] = job.height;
  json["steps"] = job.steps;
  json["guidance"] = job.guidance;
  json["cfg_normalization"] = job.cfg_normalization;
  json["cfg_truncation"] = job.cfg_truncation;
  json["sampler"] = record.sampler ? nlohmann::json(*record.sampler) : nlohmann::json();
  json["schedule"] = record.schedule ? nlohmann::json(*record.schedule) : nlohmann::json();
  if (job.init) {
    json["init_image"] = {
        {"sha256", job.init->sha256}, {"strength", job.init->strength}, {"mask", !job.init->mask.empty()}};
  }
  json["device"] = record.device;
  json["facts"] = nlohmann::ordered_json::object();
  for (const auto& [key, value] : record.facts)
    json["facts"][key] = value;
  json["version"] = record.version;
  return json_ascii(json);
}

ImageTexts metadata_texts(const ImageMetadata& record) {
  return {{"parameters", a1111_parameters(record)}, {"roundhouse", record_json(record)}};
}

}  // namespace roundhouse::host
