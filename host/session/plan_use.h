// SPDX-License-Identifier: Apache-2.0
// What everybody who carries out a plan does with it: the parts of run_plan that do not know whether a worker
// lives for one request or for many.
#pragma once

#include "host/session/session.h"

namespace roundhouse::host {

// `options` with the placement's device and engine options.
ClientOptions client_options(const Placement& placement, ClientOptions options);
// With the directory that the placement's model has on this machine.
ModelSource open_job(const Placement& placement);
// Of image `image`: seed + image, modulo 2^63.
ImageTask image_job(const GeneratePlan& plan, std::uint32_t image);

}  // namespace roundhouse::host
