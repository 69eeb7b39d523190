// SPDX-License-Identifier: Apache-2.0
// What an architecture says of itself: its files, their classes, and how a directory of it is opened. The
// table of all of them is engines/architectures.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "engines/pipeline/pipeline.h"
#include "engines/weights/weight_class.h"

namespace engines {

// A file that a model directory needs, '/' between folders.
struct NeededFile {
  const char* file;
  // Other files, each of which makes this one unnecessary.
  const char* instead = nullptr;
  const char* or_instead = nullptr;
};

// One component of a model directory, as model_index.json lists it.
struct ComponentRule {
  std::string_view name;                  // its field there, and its folder
  std::vector<std::string_view> classes;  // those that the code runs
  std::vector<NeededFile> files;
};

// Opens one part of a model and closes it again; throws what opening the model would.
using OpenPart = void (*)(const std::filesystem::path& directory, Kernels& kernels,
                          const PipelineOptions& options);

template <class Part>
void open_part(const std::filesystem::path& directory, Kernels& kernels, const PipelineOptions& options) {
  Part(directory, kernels, options);
}

struct Architecture {
  // _class_name of model_index.json.
  std::string_view id;
  std::vector<ComponentRule> components;
  // What files of its denoiser call the tensors, for who converts them.
  WeightClass denoiser;
  // Called when every needed file is there and every class is one that the code runs; `kernels` must outlive
  // the pipeline. Throws MODEL_INVALID where components do not fit each other, ...
  std::unique_ptr<ImagePipeline> (*open)(const std::filesystem::path& directory, Kernels& kernels,
                                         const PipelineOptions& options);
  // Each part by itself, so that what is wrong with one does not hide what is wrong with another.
  std::vector<OpenPart> parts = {};
};

using Architectures = std::span<const Architecture>;

// "safetensors" and, where a component may be one, "gguf".
std::vector<std::string_view> weight_formats(Architectures known);

}  // namespace engines
