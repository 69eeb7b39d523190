// SPDX-License-Identifier: Apache-2.0
// Messages of a chat as clients send them, made into those that templates read.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "host/server/http/exchange.h"
#include "host/server/json_fields.h"

namespace roundhouse::host {

using OrderedJson = nlohmann::ordered_json;

// A content that is a string, null, or a list of parts {"type": "text", "text"}: one string. Throws
// INVALID_ARGUMENT for what is none of these, naming `place` ("messages[0].content"), and
// CAPABILITY_UNSUPPORTED for an image or a sound.
std::string content_text(const nlohmann::json& content, const std::string& place);

// The body again with its members in the order in which the client wrote them: a template shows tools as they
// were sent, and a schema's properties come in its order. The body is known to be sound.
OrderedJson ordered_body(const http::Exchange& exchange);

// The field `messages` in OpenAI's form as the JSON that a request takes: roles checked, contents made into
// strings, "developer" a system message and "function" a tool's.
std::string openai_messages(const JsonFields& fields, const OrderedJson& body);

// The field `tools`: a list of functions. None where it is absent or empty.
std::optional<std::string> tools_field(const JsonFields& fields, const OrderedJson& body);

}  // namespace roundhouse::host
