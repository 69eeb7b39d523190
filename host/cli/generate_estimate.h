// SPDX-License-Identifier: Apache-2.0
// What `roundhouse generate --estimate` says, for people and as JSON.
#pragma once

#include <string>

#include "host/cli/report.h"
#include "host/session/session.h"

namespace roundhouse::host {

OrderedJson estimate_json(const GeneratePlan& plan, const EstimateResult& result);
std::string estimate_text(const GeneratePlan& plan, const EstimateResult& result, std::size_t width);

}  // namespace roundhouse::host
