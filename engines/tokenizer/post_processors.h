// SPDX-License-Identifier: Apache-2.0
// Post-processors: the ids that are put around a text.
#pragma once

#include <cstdint>
#include <vector>

#include "engines/tokenizer/stage_config.h"

namespace engines {

struct Surroundings {
  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
};

// MODEL_INVALID with place and value for what is not supported or damaged.
Surroundings read_post_processor(const StageConfig& component);

}  // namespace engines
