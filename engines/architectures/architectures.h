// SPDX-License-Identifier: Apache-2.0
// Every architecture that the engines open: one line each.
#pragma once

#include <span>

#include "engines/pipeline/architecture.h"

namespace engines {

Architectures architectures();

// What files of their components call the tensors, and of text models: for who converts them.
std::span<const WeightClass> weight_classes();

}  // namespace engines
