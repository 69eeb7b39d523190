// SPDX-License-Identifier: Apache-2.0
// What a chat template is given.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "engines/decoding/text_values.h"
#include "engines/tokenizer/chat_template.h"

namespace engines::decoding {

// messages, tools and the request's further variables, add_generation_prompt true where they do not say.
// Arguments of tool calls that are JSON text become objects, as templates want them. Throws INVALID_ARGUMENT
// by field for what is not JSON of the kind that rh_text_request says.
nlohmann::ordered_json chat_variables(const TextRequest& request);

// A template that raises refuses these messages: INVALID_ARGUMENT with what it says.
std::string render_template(const ChatTemplate& chat, const nlohmann::ordered_json& variables);

}  // namespace engines::decoding
