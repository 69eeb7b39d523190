// SPDX-License-Identifier: Apache-2.0
// Which files of a repository make a model.
#pragma once

#include <string>
#include <vector>

namespace roundhouse::host {

// Shell patterns in which '*' also matches '/', as in the hub's own clients; one that ends with '/' stands
// for all beneath.
bool matches_any(const std::string& path, const std::vector<std::string>& patterns);

// The paths that a model directory is made of. With patterns: those that match one. Without: configurations,
// tokenizers, safetensors, licences, and nothing that is there twice: no other form of the same weights (bin,
// onnx, a second precision, one file for all beside components), nothing hidden, nothing deeper than a
// component.
std::vector<std::string> chosen_paths(const std::vector<std::string>& paths,
                                      const std::vector<std::string>& patterns);

}  // namespace roundhouse::host
