// SPDX-License-Identifier: Apache-2.0
// Errors as OpenAI's clients read them.
#pragma once

#include <string>

#include "host/server/http/router.h"

namespace roundhouse::host::openai {

// {"error": {message, type, param, code, error_code, hint}}: `type` follows from the status, `code` is the
// taxonomy's name in lower case ("model_not_found"), `error_code` as everywhere else, and `param` the field
// that the message begins with.
std::string failure_json(const http::Request& request, const Error& error, int status);

// Those clients repeat every 409 and 5xx twice. For a failure that would only come again, the answer says not
// to.
http::Handler with_retry_advice(http::Handler handler);

}  // namespace roundhouse::host::openai
