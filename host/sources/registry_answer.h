// SPDX-License-Identifier: Apache-2.0
// What a registry says when it does not do what it was asked.
#pragma once

#include <string>

#include "host/transport/http.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// Codes and messages of the answer's `errors`: "MANIFEST_UNKNOWN: manifest unknown"; without control
// characters, at most 300 bytes, empty where there are none.
std::string registry_words(const HttpResponse& response);

// Whether the answer has that code among its `errors`.
bool registry_said(const HttpResponse& response, const std::string& code);

// The error for an answer that is no success. 401 and 403: AUTH_REQUIRED; 404: MODEL_NOT_FOUND; 429 and 5xx:
// SOURCE_UNREACHABLE; all others: SOURCE_REJECTED. `what` begins the message.
Error registry_error(const std::string& what, const HttpResponse& response);

// 429 and 5xx: what another try may mend.
bool is_passing(unsigned status);

}  // namespace roundhouse::host
