// SPDX-License-Identifier: Apache-2.0
// The routes that make images.
#pragma once

#include "host/server/a1111/jobs.h"
#include "host/server/a1111/settings.h"

namespace roundhouse::host::a1111 {

// POST /sdapi/v1/txt2img and /sdapi/v1/img2img.
void add_image_routes(http::Router& router, const Services& services,
                      const std::shared_ptr<Settings>& settings, const std::shared_ptr<Jobs>& jobs);

}  // namespace roundhouse::host::a1111
