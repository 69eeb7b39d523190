// SPDX-License-Identifier: Apache-2.0
// One file of a repository that holds models, or transformers, in one file each.
#pragma once

#include <string>
#include <vector>

#include "host/sources/hub_options.h"

namespace roundhouse::host {

// The GGUF and safetensors files among the paths that could each be a model or a part of one, projectors and
// importance matrices aside.
std::vector<std::string> single_files(const std::vector<std::string>& paths);

// The one that `repository.file` means, in any case: a whole path, a file's name with or without its ending,
// or the end of that name ("Q8_0"). Without it, the only one that there is. Throws WEIGHTS_MISSING listing
// what there is where it means none, several or one part of a split file, which is not read.
std::string choose_single_file(const HubRepository& repository, const std::vector<std::string>& paths);

}  // namespace roundhouse::host
