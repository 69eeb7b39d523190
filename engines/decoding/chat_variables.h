// SPDX-License-Identifier: Apache-2.0
// What a chat template is given.
#pragma once

#include <string>

#include "engines/decoding/chat_format.h"
#include "engines/decoding/text_values.h"
#include "engines/decoding/tool_calls.h"
#include "engines/tokenizer/chat_template.h"

namespace engines::decoding {

// The text that the template makes of messages, tools and the request's further variables;
// add_generation_prompt is true where they do not say. Arguments of tool calls that are JSON text become
// objects and lists of text parts one text, as templates want them. With the variable preserve_thinking the
// thoughts of earlier answers stay, also in a template that leaves them out. Throws INVALID_ARGUMENT by field
// for what is not JSON of the kind that rh_text_request says, and with what the template says where it
// refuses the messages; CAPABILITY_UNSUPPORTED for parts that are not text.
std::string render_messages(const ChatTemplate& chat, const ChatFormat& format, const TextRequest& request);

// Whether the variables say enable_thinking: false.
bool forbids_thinking(const TextRequest& request);
// The names of the tools that the request offers. As `render_messages` throws.
KnownTools tool_names(const TextRequest& request);

}  // namespace engines::decoding
