// SPDX-License-Identifier: Apache-2.0
// What everybody who carries out a plan does with it: the parts of run_plan that do not know whether a worker
// lives for one request or for many.
#pragma once

#include <optional>

#include "host/session/session.h"

namespace roundhouse::host {

// The usable record of the planned engine. Throws INTERNAL when the registry has none.
const EngineRecord& planned_engine(const GeneratePlan& plan, const Registry& registry);

// `options` with the plan's device and engine options.
ClientOptions client_options(const GeneratePlan& plan, ClientOptions options);
ModelSource open_job(const GeneratePlan& plan);
// Of image `image`: seed + image, modulo 2^63.
ImageTask image_job(const GeneratePlan& plan, std::uint32_t image);

// Why the planned engine cannot do the request, by what the registry knows now; none when it can.
std::optional<Error> planned_refusal(const GeneratePlan& plan, const Registry& registry);

// With automatic routing the next best engine takes the planned one's place, with a note; the registry knows
// already why the planned one is out. Throws `failure` for an explicit engine, and when there is no other.
void take_next_engine(GeneratePlan& plan, const Registry& registry, const Error& failure);

}  // namespace roundhouse::host
