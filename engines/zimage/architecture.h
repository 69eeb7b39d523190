// SPDX-License-Identifier: Apache-2.0
// Z-Image and Z-Image-Turbo: Qwen3 as encoder, a single-stream transformer, AutoencoderKL.
#pragma once

#include "engines/pipeline/architecture.h"

namespace engines::zimage {

Architecture architecture();

}  // namespace engines::zimage
