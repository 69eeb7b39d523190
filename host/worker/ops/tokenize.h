// SPDX-License-Identifier: Apache-2.0
// What an engine's tokenizer makes of a text (rh.tokenize/1).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "host/worker/engine_client.h"
#include "host/worker/ops/table.h"
#include "host/worker/protocol.h"

namespace roundhouse::host {

struct TokenizeTask {
  std::filesystem::path directory;  // a model's, or one that holds a tokenizer alone
  bool add_special = true;          // with what the tokenizer puts around every text
};

// The host's end: the ids of a text of at most 64 MiB. Throws CAPABILITY_UNSUPPORTED without the extension,
// and what the tokenizer refuses.
std::vector<std::int32_t> tokenize(EngineClient& client, const TokenizeTask& task, const std::string& text);

// The worker's.
Message work_tokenize(LoadedEngine& engine, const Message& request, CallContext& call);

std::string encode(const TokenizeTask& task);
template <>
TokenizeTask decode(const std::string& json);

}  // namespace roundhouse::host
