// SPDX-License-Identifier: Apache-2.0
// What is wrong with a model directory, found as opening it would find it.
#pragma once

#include <filesystem>
#include <functional>

#include "engines/pipeline/architecture.h"
#include "engines/tensor/error.h"

namespace engines {

// Gets each problem once, the one that open_pipeline throws first.
using ProblemCallback = std::function<void(const Error&)>;

// Opens the model and, where that fails, each of its parts by itself. Computes nothing and keeps nothing; the
// options' memory limit is not looked at. Throws CANCELLED between parts when `cancelled` says so.
void inspect_pipeline(Architectures known, const std::filesystem::path& directory,
                      const PipelineOptions& options, const ProblemCallback& seen,
                      const std::function<bool()>& cancelled);

}  // namespace engines
