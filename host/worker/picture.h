// SPDX-License-Identifier: Apache-2.0
// From what an engine hands over to a checked picture.
#pragma once

#include <cstdint>

#include "host/worker/engine_client.h"
#include "roundhouse/ext/image.h"

namespace roundhouse::host {

// Copies the picture as 3 bytes a pixel. f32 samples are clamped to [0, 1], multiplied by 255 and rounded
// half to even; gray becomes red = green = blue. Throws ENGINE_BROKEN when it is not a picture of width x
// height pixels, PIPELINE_ERROR when a sample is not finite.
Picture checked_picture(const rh_pixels* pixels, std::uint32_t width, std::uint32_t height);

}  // namespace roundhouse::host
