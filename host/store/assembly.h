// SPDX-License-Identifier: Apache-2.0
// Model directories put together from parts that lie in several places.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "host/store/model_files.h"
#include "host/store/store_paths.h"

namespace roundhouse::host {

// How a file of weights says what it is: by its first bytes, whatever its name.
enum class WeightFormat { gguf, safetensors, neither };
// Throws IO_ERROR.
WeightFormat weight_format_of(const std::filesystem::path& file);

// The components beside the transformer whose weights a safetensors file holds as well, by the prefixes that
// image programs give them: "vae", "text_encoder". Throws MODEL_INVALID for a damaged header, IO_ERROR.
std::vector<std::string> components_inside(const std::filesystem::path& checkpoint);

// The parts are gathered first and shown as a directory of links then, beneath tmp/ of the store; that is
// gone with the object. Nothing is copied.
class Assembly {
 public:
  explicit Assembly(const StorePaths& paths) : session_(paths) {}

  // All files of a model directory. Throws what list_model_files throws.
  void add_model(const std::filesystem::path& directory, Links links);
  // A file under that path in the model.
  void add_file(const std::string& path, const std::filesystem::path& file);
  // Takes `file`, a GGUF or safetensors, for all weights of a component: its other files stay as they are.
  // Throws INVALID_ARGUMENT naming the components that there are, MODEL_INVALID for a file of something else.
  void set_component(const std::string& component, const std::filesystem::path& file);

  // Takes a component's own directory, with its configuration, in the place of the component of that class.
  // Throws MODEL_INVALID where it has no class or one that the model has not.
  void set_folder(const std::filesystem::path& directory, Links links);

  // Makes the directory. Once.
  std::filesystem::path directory();

 private:
  StoreSession session_;
  std::map<std::string, std::filesystem::path> files_;  // by path in the model
};

}  // namespace roundhouse::host
