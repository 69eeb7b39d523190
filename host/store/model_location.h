// SPDX-License-Identifier: Apache-2.0
// From a reference to files.
#pragma once

#include <filesystem>

#include "host/task/model_reference.h"

namespace roundhouse::host {

// The directory in which an engine of this machine finds the model's files; that of a store entry is made
// where it is not there. Throws what reading the store throws, CAPABILITY_UNSUPPORTED for a remote model.
std::filesystem::path model_directory(const ModelReference& model);

}  // namespace roundhouse::host
