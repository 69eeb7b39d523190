// SPDX-License-Identifier: Apache-2.0
// Errors as Anthropic's clients read them.
#pragma once

#include <string>

#include "host/server/http/router.h"

namespace roundhouse::host::anthropic {

// {"type": "error", "error": {type, message, code, hint}, "request_id"}: `type` follows from the status,
// `code` is the taxonomy's name.
std::string failure_json(const http::Request& request, const Error& error, int status);

}  // namespace roundhouse::host::anthropic
