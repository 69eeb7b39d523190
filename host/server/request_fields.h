// SPDX-License-Identifier: Apache-2.0
// What every dialect that makes images takes beside its own fields, under the same names.
#pragma once

#include <optional>
#include <string>

#include "host/residency/keep_alive.h"
#include "host/server/json_fields.h"
#include "host/session/session.h"
#include "host/store/model_catalogue.h"

namespace roundhouse::host {

// engine, steps, guidance, cfg_normalization, cfg_truncation, seed, negative_prompt, sampler, schedule,
// weights, long_prompt ("cut" or "error"): those that are there replace what `request` has. Ranges are
// make_plan's to check.
void take_engine_fields(const JsonFields& fields, GenerateRequest& request);

// "model": MODEL or MODEL+ENGINE. Throws INVALID_ARGUMENT where field and suffix name different engines.
void take_model_field(const JsonFields& fields, GenerateRequest& request);

// The size of a request that no model was chosen for becomes one that the default model can draw, where it is
// one that clients send by habit: sides of 64 to 4096 pixels. Returns the note on it, where there is one.
std::optional<std::string> fit_size(GenerateRequest& request, const ModelCatalogue& models);

// "metadata": whether images carry what made them. False is the client's wish that they do not; an object,
// as some clients send it along with every request, says nothing of that.
bool metadata_field(const JsonFields& fields);

// A duration in text or seconds as a number; none where it is absent.
std::optional<KeepAlive> keep_alive_field(const JsonFields& fields);

}  // namespace roundhouse::host
