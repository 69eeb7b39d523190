// SPDX-License-Identifier: Apache-2.0
// Errors as Ollama's clients read them.
#pragma once

#include <string>

#include "roundhouse/error.hpp"

namespace roundhouse::host::ollama {

// {"error": sentence, "code": the taxonomy's name, "hint"}. For a model that is not there the sentence is the
// one that those clients look for: model "x" not found.
std::string failure_json(const Error& error);

}  // namespace roundhouse::host::ollama
