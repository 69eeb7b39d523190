// SPDX-License-Identifier: Apache-2.0
// Whether one engine can do a request, and if not, at which question it failed.
#pragma once

#include <optional>
#include <vector>

#include "host/routing/routing.h"

namespace roundhouse::host {

// The questions in the order in which they are asked; an engine that fails at a later one was closer.
enum class Hurdle { usable, task, architecture, device, weight_format, dtype, feature, method, limit };

// The end of messages about what no engine that was found can do.
inline constexpr const char* kNobody = "; no engine does";

struct Refusal {
  Hurdle hurdle;
  Error error;
};

bool is_usable(const EngineRecord& record);

// `records` are all that were found: messages say which others could.
std::optional<Refusal> refusal_of(const RouteRequest& request, const EngineRecord& record,
                                  const std::vector<EngineRecord>& records);

}  // namespace roundhouse::host
