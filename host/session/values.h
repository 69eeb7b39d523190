// SPDX-License-Identifier: Apache-2.0
// The checks of a request that need to know neither model nor engine.
#pragma once

#include "host/session/session.h"

namespace roundhouse::host {

inline constexpr std::size_t kMaximumPromptBytes = 65536;

// Throws INVALID_ARGUMENT naming the field, its value and the expectation: prompts (UTF-8, not blank, no NUL
// character, at most 64 KiB), steps 1 to 50, guidance 0 to 20, cfg normalization 0 or more, cfg truncation 0
// to 1, images 1 to 16, seed -1 or more, aspect together with a width or height. CPU_NOT_ALLOWED for the
// device cpu without permission. Numbers must be finite.
void check_values(const GenerateRequest& request);

// The last of these alone.
void check_device(const GenerateRequest& request);

}  // namespace roundhouse::host
