// SPDX-License-Identifier: Apache-2.0
// Whether an image that a plugin hands over can be read and is one.
#pragma once

#include <string>

#include "roundhouse/ext/image.h"

namespace roundhouse::host {

// Throws ENGINE_BROKEN unless record, format, rows and buffer fit each other; `name` is "the image" or "the
// preview".
void check_pixels(const std::string& engine, const std::string& name, const rh_pixels* pixels);

// Throws ENGINE_BROKEN when the image has another size, PIPELINE_ERROR when values are not finite.
void check_image(const std::string& engine, const rh_pixels& pixels, const rh_image_request& request);
// The same of a preview, which is to be no larger than the image.
void check_preview(const std::string& engine, const rh_pixels& pixels, const rh_image_request& request);

}  // namespace roundhouse::host
