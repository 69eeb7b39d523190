// SPDX-License-Identifier: Apache-2.0
// One thing that an engine finds wrong with a model directory.
#pragma once

#include <string>

#include "roundhouse/status.h"

namespace roundhouse::host {

struct ModelProblem {
  rh_status code = RH_MODEL_INVALID;  // as opening the model would fail
  std::string file;                   // in the model directory; empty: in no single one
  std::string message;
};

}  // namespace roundhouse::host
