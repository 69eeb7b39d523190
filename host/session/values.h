// SPDX-License-Identifier: Apache-2.0
// The checks of a request that need to know neither model nor engine.
#pragma once

#include "host/session/session.h"

namespace roundhouse::host {

inline constexpr std::size_t kMaximumPromptBytes = 65536;

// Throws INVALID_ARGUMENT naming the field, its value and the expectation: prompts (UTF-8, not blank, no NUL
// character, at most 64 KiB), steps 1 to 50, guidance 0 to 20, cfg normalization 0 or more, cfg truncation 0
// to 1, strength above 0 up to 1 and only with an image to begin with, images 1 to 16, seed -1 or more,
// aspect together with a width or height. CPU_NOT_ALLOWED for the device cpu without permission. Numbers must
// be finite.
void check_values(const GenerateRequest& request);

// The same for one value of a request, which `field` names: absent is fine. Throw INVALID_ARGUMENT with value
// and expectation.
void check_integer(const char* field, std::optional<std::int64_t> value, std::int64_t minimum,
                   std::int64_t maximum);
inline constexpr double kUnbounded = 1e300;  // as maximum: there is none
void check_number(const char* field, std::optional<double> value, double minimum, double maximum);
// Well formed and short enough; returns whether it has anything to see. NUL characters are refused unless
// `zeros` says so.
bool check_text(const char* field, const std::string& text, std::size_t longest = kMaximumPromptBytes,
                bool zeros = false);

}  // namespace roundhouse::host
