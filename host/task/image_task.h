// SPDX-License-Identifier: Apache-2.0
// One image to make, and what comes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/task/engine_option.h"
#include "host/task/image.h"

namespace roundhouse::host {

// An image to begin with, of the size of the one to make.
struct InitImage {
  Image image;
  std::vector<std::uint8_t> mask;  // a byte a pixel: 128 and more is drawn anew; empty: all of it is
  double strength = 1;             // above 0, up to 1: the share of the steps that is done
  std::string sha256;              // of the file that it came in, for who wants to know
};

// The plain values of rh_image_request (see ext/image.h for meanings and units).
struct ImageTask {
  std::string prompt;
  std::optional<std::string> negative_prompt;
  std::uint32_t width = 0, height = 0, steps = 0;
  double guidance = 0, cfg_normalization = 0, cfg_truncation = 1;
  std::uint64_t seed = 0;
  std::optional<std::string> sampler, schedule;
  bool refuse_long_prompt = false;  // one that the encoder does not read to its end
  std::uint32_t preview_every = 0;  // a preview after every so many steps; 0 = none
  std::vector<EngineOption> options;
  std::shared_ptr<const InitImage> init;  // null: from noise alone

  // Those that are done: `steps`, or with an image to begin with the share that its strength says. Engines
  // count for themselves; this is for forecasts.
  std::uint32_t steps_done() const;
};

struct StageTiming {
  std::string stage;  // "encode", "denoise", "decode"
  double milliseconds = 0;
  std::uint64_t operations = 0;
  std::uint64_t activation_bytes = 0;
  std::uint64_t peak_memory_bytes = 0;  // of the engine's process while the stage went on
  double preview_milliseconds = 0;      // of the milliseconds: what previews took
  // Of "encode": tokens of the prompt, and how many of them the engine reads; 0: not told.
  std::uint32_t prompt_tokens = 0, used_prompt_tokens = 0;
};

// "the prompt has 1804 tokens, ...: the rest has no effect"; none for one that is read to its end. Where
// there is a negative prompt, too, the engine tells of the one that is cut.
std::optional<std::string> long_prompt_note(const StageTiming& stage,
                                            const std::optional<std::string>& negative_prompt);

struct ImageResult {
  Image image;
  std::vector<StageTiming> stages;
  std::vector<double> step_milliseconds;
  std::uint64_t peak_memory_bytes = 0;  // of the process that the engine ran in, so far
};

}  // namespace roundhouse::host
