// SPDX-License-Identifier: Apache-2.0
// The tokens that end an answer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>

#include "engines/decoding/token_texts.h"
#include "engines/weights/gguf_metadata.h"

namespace engines::decoding {

using EndTokens = std::set<std::int32_t>;

// eos_token_id (a number or a list) of generation_config.json, or of config.json where that does not say, and
// the eos_token of tokenizer_config.json. Damaged files are MODEL_INVALID by field.
EndTokens end_tokens_of(const std::filesystem::path& folder, const TokenTexts& texts);
// The ids that a GGUF file names as ends of text, of turn and of message.
EndTokens end_tokens_of(const GgufMetadata& metadata, const TokenTexts& texts);
// Ends of turns that a chat template writes: files often forget them.
EndTokens end_tokens_in(const std::string& chat_template, const TokenTexts& texts);

}  // namespace engines::decoding
