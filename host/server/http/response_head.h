// SPDX-License-Identifier: Apache-2.0
// The head of an answer as it goes over the wire.
#pragma once

#include <string>

#include "host/server/http/http_error.h"

namespace roundhouse::host::http {

// "HTTP/1.1 200 OK", Date, `fields` and the empty line.
std::string response_head(int status, const HttpError::Fields& fields);

// One piece of a body in chunks, framed; the end of such a body for an empty piece.
std::string chunk_of(std::string_view piece);

// Whether a field of that name and value can be written: no control characters, a name of token characters.
bool is_field(std::string_view name, std::string_view value);

}  // namespace roundhouse::host::http
