// SPDX-License-Identifier: Apache-2.0
// Ovis-Image: Qwen3 as encoder, a transformer of double and single blocks, AutoencoderKL.
#pragma once

#include "engines/pipeline/architecture.h"

namespace engines::ovis {

Architecture architecture();

}  // namespace engines::ovis
