// SPDX-License-Identifier: Apache-2.0
// A request for a message in Anthropic's words.
#pragma once

#include <optional>

#include "host/residency/keep_alive.h"
#include "host/server/messages.h"
#include "host/session/text_session.h"

namespace roundhouse::host::anthropic {

struct MessageOrder {
  TextRequest request;
  std::optional<KeepAlive> keep_alive;
  bool stream = false;
};

// Beside Anthropic's fields: engine, keep_alive, weights, seed, min_p. `counts`: only the prompt's tokens are
// wanted, and max_tokens may be absent. Throws INVALID_ARGUMENT by field, CAPABILITY_UNSUPPORTED for images
// and for a tool_choice that forces a call.
MessageOrder read_message_order(const JsonFields& fields, const OrderedJson& body, bool counts);

}  // namespace roundhouse::host::anthropic
