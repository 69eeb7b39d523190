// SPDX-License-Identifier: Apache-2.0
// A request for a text or for vectors in Ollama's words.
#pragma once

#include <string>
#include <vector>

#include "host/server/messages.h"
#include "host/session/text_session.h"

namespace roundhouse::host::ollama {

struct TextOrder {
  TextRequest request;
  std::vector<std::string> notes;  // on fields without effect
};

// Of /api/generate: prompt, system, raw, think, format, options, logprobs. Throws INVALID_ARGUMENT by field,
// CAPABILITY_UNSUPPORTED for images, suffix and template.
TextOrder read_generate_order(const JsonFields& fields, const OrderedJson& body);
// Of /api/chat: messages and tools.
TextOrder read_chat_order(const JsonFields& fields, const OrderedJson& body);

// Of /api/embed and /api/embeddings, which call the texts `input` and `prompt`.
EmbedRequest read_embed_order(const JsonFields& fields, const char* input);

}  // namespace roundhouse::host::ollama
