// SPDX-License-Identifier: Apache-2.0
// A fixed yard of engines, and a request to it.
#pragma once

#include <string>
#include <vector>

#include "host/routing/routing.h"

namespace roundhouse::host {

inline EngineRecord engine(const std::string& id, std::int32_t score, const std::string& maturity,
                           const Capabilities& capabilities) {
  EngineManifest manifest;
  manifest.id = id;
  manifest.maturity = maturity;
  manifest.score = score;
  manifest.capabilities = capabilities;
  manifest.limits = {{"width", {16, 2048, 16}}, {"height", {16, 2048, 16}}, {"steps", {1, 50, 0}}};
  EngineRecord record;
  record.id = id;
  record.manifest = manifest;
  return record;
}

// A slow one that reads all, a fast one that knows less, one on a card, one to learn from, a broken one.
inline std::vector<EngineRecord> yard() {
  const Capabilities slow = {{"task", {"text-to-image"}},
                             {"architecture", {"ZImagePipeline"}},
                             {"weight-format", {"safetensors"}},
                             {"dtype", {"f32", "f16", "bf16"}},
                             {"feature", {"negative-prompt", "guidance"}},
                             {"sampler", {"euler", "dpm++"}},
                             {"schedule", {"flow", "dpm-flow"}},
                             {"schedule.euler", {"flow"}},
                             {"schedule.dpm++", {"dpm-flow"}},
                             {"convert", {"f32", "q8_0"}},
                             {"device", {"cpu"}}};
  Capabilities fast = slow;
  fast["feature"] = {"negative-prompt", "guidance", "lora"};
  fast["sampler"] = {"euler"};
  fast["dtype"] = {"f32", "bf16"};
  fast.erase("convert");
  Capabilities card = slow;
  card["device"] = {"cuda:0"};
  card["weight-format"] = {"gguf"};
  card["dtype"] = {"q8_0"};
  card.erase("convert");
  const Capabilities teaching = {
      {"task", {"text-to-image"}}, {"feature", {"modelless"}}, {"device", {"cpu"}}};
  EngineRecord broken = engine("wreck", 1000, "stable", slow);
  broken.state = EngineState::unusable;
  broken.error = Error(RH_ENGINE_CRASHED, "engine 'wreck' died of signal 11 (SIGSEGV) in probe");
  return {engine("reference", 10, "stable", slow), engine("openblas", 100, "stable", fast),
          engine("card", 200, "stable", card), engine("testcard", 0, "teaching", teaching), broken};
}

inline RouteRequest request() {
  RouteRequest result;
  result.architecture = "ZImagePipeline";
  result.weight_format = "safetensors";
  result.dtypes = {"bf16"};
  result.quantities = {{"width", 1024}, {"height", 768}, {"steps", 8}};
  return result;
}

}  // namespace roundhouse::host
