// SPDX-License-Identifier: Apache-2.0
// What an image tells about itself: the text that A1111 and its readers know, and a JSON object of ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host/images/image_format.h"
#include "host/task/engine_report.h"
#include "host/task/image_task.h"

namespace roundhouse::host {

// Everything needed to make the image again.
struct ImageMetadata {
  ImageTask job;  // with the seed of this very image
  std::string engine, engine_version;
  std::string model;  // empty for modelless engines
  std::string device;
  Facts facts;                                   // of the opened model: dtype per stage, ...
  std::optional<std::string> sampler, schedule;  // what was used, where known; the job may leave them open
  std::string version;                           // of this program
};

// Sampler and schedule that were used: the request's, or the engine's first where that is its default.
std::optional<std::string> used_sampler(const ImageTask& job, const EngineReport& engine);
std::optional<std::string> used_schedule(const ImageTask& job, const EngineReport& engine);

// The `parameters` text of A1111: the prompt, "Negative prompt: ..." if there is one, and a last line of
// "Key: value" pairs. CFG scale is guidance + 1, which is that convention's "off = 1".
std::string a1111_parameters(const ImageMetadata& record);

// A value of the last line: as it is, or as a JSON string when it contains a comma, colon, quote or newline.
std::string a1111_value(const std::string& value);

// The name that A1111 and its readers use for a sampler of ours: "DPM++ 2M".
std::string a1111_sampler(const std::string& sampler);

// One JSON object, ASCII only (other characters escaped).
std::string record_json(const ImageMetadata& record);

// The chunks "parameters" and "roundhouse" of the above two.
ImageTexts metadata_texts(const ImageMetadata& record);

}  // namespace roundhouse::host
