// SPDX-License-Identifier: Apache-2.0
// Keeps a user's words out of what an engine says.
#pragma once

#include <string>

#include "host/worker/engine_client.h"

namespace roundhouse::host {

// The text with "<prompt>" in place of the job's prompts, those of fewer than four bytes excepted: a plugin
// may neither print nor log them (rules P28, P32), and a log never shows them unasked.
std::string without_prompts(std::string text, const ImageTask& job);

}  // namespace roundhouse::host
