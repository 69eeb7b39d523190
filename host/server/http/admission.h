// SPDX-License-Identifier: Apache-2.0
// From the head of a request to what is done with it: which route, and may it be asked.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "host/server/http/channel.h"
#include "host/server/http/connection.h"

namespace roundhouse::host::http {

struct Admission {
  Request request;
  const Route* route = nullptr;
  const Dialect* dialect = nullptr;
  HttpError::Fields fields;          // of the answer
  std::optional<HttpError> refusal;  // instead of the route's handler
  bool preflight = false;            // or OPTIONS: an empty answer with `fields`
};

// Looks at everything but the body. `content_length` is what the head says, if it does.
Admission admit(Request request, const Shared& shared, std::optional<std::uint64_t> content_length);

// A request of which the head could not be read.
Admission refuse(Request request, const Shared& shared, const HttpError& why);

// Runs the route, or the refusal, on the current thread, to the end of the answer; then tells
// `options.completed`.
void answer(Channel& channel, const Admission& admission, const Shared& shared);

}  // namespace roundhouse::host::http
