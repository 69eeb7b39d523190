// SPDX-License-Identifier: Apache-2.0
// From a model directory to its pipeline, by the table of architectures.
#pragma once

#include "engines/pipeline/architecture.h"

namespace engines {

// Opens every component of a Hugging Face model directory and checks that they fit each other; `kernels` must
// outlive the pipeline. Throws MODEL_NOT_FOUND (no directory), WEIGHTS_MISSING naming all absent files,
// MODEL_INVALID, ...
std::unique_ptr<ImagePipeline> open_pipeline(Architectures known, const std::filesystem::path& directory,
                                             Kernels& kernels, const PipelineOptions& options = {});

// What an image would take of a model that is not opened yet: its configs and headers are read, and slices of
// the work timed on `kernels`. Throws what opening and generate would throw before they compute.
ImageCost estimate_image(Architectures known, const std::filesystem::path& directory, Kernels& kernels,
                         const PipelineOptions& options, const ImageRequest& request, Run& run);

}  // namespace engines
