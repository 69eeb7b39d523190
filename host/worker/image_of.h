// SPDX-License-Identifier: Apache-2.0
// From the pixels of an engine to the host's form of an image.
#pragma once

#include "host/task/image.h"
#include "roundhouse/ext/image.h"

namespace roundhouse::host {

// Copies pixels that have been checked (host/loading) as 3 bytes a pixel. f32 samples are clamped to [0, 1],
// multiplied by 255 and rounded half to even; gray becomes red = green = blue.
Image image_of(const rh_pixels& pixels);

}  // namespace roundhouse::host
