// SPDX-License-Identifier: Apache-2.0
// Which files of a repository make a model.
#pragma once

#include <string>
#include <vector>

namespace roundhouse::host {

// Of a repository's paths, those that a model directory is made of: configurations, tokenizers, safetensors,
// licences, and nothing that is there twice: no other form of the same weights (bin, onnx, a second
// precision, one file for all beside components), nothing hidden, nothing deeper than a component.
std::vector<std::string> model_paths(const std::vector<std::string>& paths);

// Refuses a repository of which `chosen`, by model_paths, can be no model, before anything is fetched:
// without model_index.json or config.json, or without weights. Names what is there instead and how it can be
// used. Throws WEIGHTS_MISSING.
void require_model(const std::string& repository, const std::vector<std::string>& paths,
                   const std::vector<std::string>& chosen);

}  // namespace roundhouse::host
