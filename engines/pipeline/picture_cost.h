// SPDX-License-Identifier: Apache-2.0
// What a picture would take in memory and time, without loading or computing it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engines/pipeline/zimage_pipeline.h"

namespace engines {

struct StageCost {
  Stage stage{};
  double seconds = 0;
  std::uint64_t operations = 0;
  std::uint64_t peak_bytes = 0;  // of the process, as far as it is resident
};

struct PictureCost {
  std::vector<StageCost> stages;  // load, encode, denoise, decode
  std::uint64_t held_bytes = 0;   // resident after the picture
};

// Opens the model's configs and headers, lets it run on kernels that only take notes, and times slices of
// what was noted on `kernels`: about a second for a model of full width. Files are taken to be in the page
// cache. Throws what opening and generate would throw before they compute.
PictureCost estimate_picture(const std::filesystem::path& directory, Kernels& kernels,
                             const PipelineOptions& options, const ImageRequest& request, Run& run);

}  // namespace engines
