// SPDX-License-Identifier: Apache-2.0
// A request of /v1/responses.
#pragma once

#include <optional>
#include <string>

#include "host/residency/keep_alive.h"
#include "host/server/messages.h"
#include "host/session/text_session.h"

namespace roundhouse::host::openai {

struct ResponseOrder {
  TextRequest request;  // its messages are `conversation` with the instructions before them
  std::optional<KeepAlive> keep_alive;
  bool stream = false, store = true;
  OrderedJson conversation;  // messages of a chat: those of the answer that is gone on from, and the input
  OrderedJson input;         // items, as they came
  OrderedJson settings;      // that the answer repeats
};

// `earlier`: the conversation of the answer that previous_response_id names, or an empty list. Throws
// INVALID_ARGUMENT by field, CAPABILITY_UNSUPPORTED for what no engine reads and tools that a server would
// run.
ResponseOrder read_response_order(const JsonFields& fields, const OrderedJson& body, OrderedJson earlier);

}  // namespace roundhouse::host::openai
