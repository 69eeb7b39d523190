// SPDX-License-Identifier: Apache-2.0
// What a ModelSpec wants of which source.
#pragma once

#include <string>
#include <vector>

#include "host/store/model_catalogue.h"
#include "host/store/model_name.h"

namespace roundhouse::host {

// Whether a text is ORG/NAME as hubs have it: two plain names of letters, digits and . _ -.
bool is_hub_repository(const std::string& text);

// The files of one repository that a model takes.
struct ModelFetch {
  ModelBase base;
  // Whether a file is wanted, by its path in the repository, which is also that in the model.
  bool wants(const std::string& path) const;

  std::vector<std::string> patterns;    // of paths, as fnmatch has them: * stops at /
  std::vector<std::string> components;  // folders
  // Folders that this repository has no say in: other components of a model of which only some are named come
  // from here as well, with the files that components usually hold.
  std::vector<std::string> elsewhere = {};
  bool rest = false;
  // The spec names neither files nor components: all that a directory of its architecture is made of. `wants`
  // then knows the root only.
  bool whole = false;
};

// One for each repository, the model's own first. Empty for a spec without a repository.
std::vector<ModelFetch> fetches_of(const ModelSpec& spec);

// Throws INVALID_ARGUMENT when the name has a version and what the model would be made from may move.
// `where` begins the message.
void require_pinned(const ModelSpec& spec, const ModelName& name, const std::string& where);

}  // namespace roundhouse::host
