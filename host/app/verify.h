// SPDX-License-Identifier: Apache-2.0
// Whether models are what they were, and whether files can be a model.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/app/app_context.h"

namespace roundhouse::host {

struct Verified {
  std::string name;              // of the store, or the directory
  std::optional<Digest> digest;  // of a stored model's manifest
  std::vector<Damage> damages;   // none: it is sound
};
// "model 'a': file 'vae/x.safetensors': tensor: ..." of its first damage.
std::string damage_text(const Verified& model);

// Hashes the files of the store's models, and tells of each when it is done.
// Throws MODEL_NOT_FOUND for a name that is not in the store.
void verify_stored(const AppContext& context, const std::vector<std::string>& names,
                   const ProgressOf& progress, const std::function<void(const Verified&)>& seen);
// The same for all models of the store.
void verify_store(const AppContext& context, const ProgressOf& progress,
                  const std::function<void(const Verified&)>& seen);
// The files of a directory with a manifest.json. Throws MODEL_NOT_FOUND where there is no directory.
Verified verify_model_directory(const std::filesystem::path& directory, const ProgressOf& progress);

// What is wrong with a model directory, a GGUF file or a ModelSpec. Throws IO_ERROR where there is none.
std::vector<Error> problems_of(const std::filesystem::path& path);

}  // namespace roundhouse::host
