// SPDX-License-Identifier: Apache-2.0
// What every dialect that makes pictures takes beside its own fields, under the same names.
#pragma once

#include <optional>
#include <string>

#include "host/residency/keep_alive.h"
#include "host/server/json_fields.h"
#include "host/session/session.h"

namespace roundhouse::host {

// engine, steps, guidance, cfg_normalization, cfg_truncation, seed, negative_prompt, sampler, schedule,
// weights: those that are there replace what `request` has. Ranges are make_plan's to check.
void take_engine_fields(const JsonFields& fields, GenerateRequest& request);

// "model": MODEL or MODEL+ENGINE. Throws INVALID_ARGUMENT where field and suffix name different engines.
void take_model_field(const JsonFields& fields, GenerateRequest& request);

// A duration in text or seconds as a number; none where it is absent.
std::optional<KeepAlive> keep_alive_field(const JsonFields& fields);

}  // namespace roundhouse::host
