// SPDX-License-Identifier: Apache-2.0
// Which files of a repository make a model.
#pragma once

#include <string>
#include <vector>

namespace roundhouse::host {

struct ChosenFile {
  std::string path;  // in the repository
  std::string as;    // in the model
  bool operator==(const ChosenFile&) const = default;
};

struct HubChoice {
  std::vector<ChosenFile> files;
  std::vector<std::string> notes;  // sentences about what was chosen among several
};

// Of a repository's paths, those that a model directory is made of: configurations, tokenizers, safetensors,
// licences, and nothing in another form (bin, onnx, one file for all beside components), nothing hidden,
// nothing deeper than a component. May still have weights in several precisions.
std::vector<std::string> model_paths(const std::vector<std::string>& paths);

// Takes one precision of each component's weights, as diffusers names them ("x.fp16.safetensors",
// "x.safetensors.index.fp16.json"), under the names that engines look for. `variant` is taken where it is
// there, else the files without one, else the only variant; notes say what was taken. Throws WEIGHTS_MISSING,
// beginning with `repository`, for a variant that no component has, for several without the plain files, and
// for shards of which some, or their index, are missing.
HubChoice choose_precision(const std::string& repository, const std::vector<std::string>& paths,
                           const std::string& variant);

// Whether `chosen`, by model_paths, are a model: with a configuration and with weights.
bool is_model(const std::vector<std::string>& chosen);
// The refusal of a repository that holds none: WEIGHTS_MISSING with what is there instead and how it can be
// used.
[[noreturn]] void refuse_no_model(const std::string& repository, const std::vector<std::string>& paths,
                                  const std::vector<std::string>& chosen);

}  // namespace roundhouse::host
