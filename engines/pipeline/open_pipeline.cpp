// SPDX-License-Identifier: Apache-2.0
#include "engines/pipeline/open_pipeline.h"

#include <algorithm>
#include <chrono>

#include "engines/kernels/costing/recording_kernels.h"
#include "engines/pipeline/model_files.h"

namespace engines {

std::unique_ptr<ImagePipeline> open_pipeline(Architectures known, const std::filesystem::path& directory,
                                             Kernels& kernels, const PipelineOptions& options) {
  return checked_architecture(known, directory).open(directory, kernels, options);
}

ImageCost estimate_image(Architectures known, const std::filesystem::path& directory, Kernels& kernels,
                         const PipelineOptions& options, const ImageRequest& request, Run& run) {
  RecordingKernels notes(kernels.scratch_bytes());
  const auto begin = std::chrono::steady_clock::now();
  const auto pipeline = open_pipeline(known, directory, notes, options);
  const std::chrono::duration<double> open_time = std::chrono::steady_clock::now() - begin;
  return pipeline->cost(request, {notes, kernels, open_time.count()}, run);
}

std::vector<std::string_view> weight_formats(Architectures known) {
  std::vector<std::string_view> formats;
  const auto add = [&](std::string_view format, const char* file) {
    if (file == nullptr || !std::string_view(file).ends_with(format)) return;
    if (std::ranges::find(formats, format) == formats.end()) formats.push_back(format);
  };
  for (const Architecture& architecture : known) {
    for (const ComponentRule& component : architecture.components) {
      for (const NeededFile& needed : component.files) {
        for (const std::string_view format : {"safetensors", "gguf"}) {
          for (const char* file : {needed.file, needed.instead, needed.or_instead})
            add(format, file);
        }
      }
    }
  }
  std::ranges::sort(formats, std::greater<>());  // safetensors first, as ever
  return formats;
}

}  // namespace engines
