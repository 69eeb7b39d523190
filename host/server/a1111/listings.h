// SPDX-License-Identifier: Apache-2.0
// What clients of that world read when they start, and what an image says of itself.
#pragma once

#include "host/server/http/router.h"
#include "host/server/services.h"

namespace roundhouse::host::a1111 {

// GET /sdapi/v1/ samplers, schedulers, sd-models, sd-vae, loras, upscalers, latent-upscale-modes, embeddings,
// hypernetworks, prompt-styles, sd-modules, face-restorers, realesrgan-models, extensions, script-info,
// scripts, memory and cmd-flags; POST refresh-checkpoints, refresh-loras and png-info.
void add_listing_routes(http::Router& router, const Services& services);

}  // namespace roundhouse::host::a1111
