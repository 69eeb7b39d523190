// SPDX-License-Identifier: Apache-2.0
// A model directory opened as the engines open it, by the table of architectures.
#pragma once

#include <filesystem>
#include <memory>

#include "engines/architectures/architectures.h"
#include "engines/pipeline/open_pipeline.h"

namespace engines::test {

class OpenedModel {
 public:
  OpenedModel(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options = {})
      : pipeline_(open_pipeline(architectures(), directory, kernels, options)) {}

  Image generate(const ImageRequest& request, Run& run, const PipelineTaps& taps = {}) {
    return pipeline_->generate(request, run, taps);
  }
  auto describe() const { return pipeline_->describe(); }

 private:
  std::unique_ptr<ImagePipeline> pipeline_;
};

}  // namespace engines::test
