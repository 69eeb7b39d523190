// SPDX-License-Identifier: Apache-2.0
// The flags of commands that have a model write, and the request that they stand for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/cli/engine_flags.h"
#include "host/session/text_session.h"

namespace roundhouse::host {

struct TextFlags : EngineFlags {
  std::optional<std::string> system, format;
  std::optional<std::string> temperature, top_k, top_p, min_p, typical_p, repeat_penalty, presence_penalty,
      frequency_penalty, seed, max_tokens, context;
  std::vector<std::string> stops;
  bool think = false, no_think = false, shift = false;
};

void declare_text_flags(FlagTable& command, TextFlags& flags);

// All but messages or prompt. Throws INVALID_ARGUMENT for a value that is no number, IO_ERROR for a schema
// that cannot be read.
TextRequest read_text_flags(const TextFlags& flags);

// One value by the name that its flag has, as `/set` of `chat` changes it: "temperature". False: there is no
// such name.
bool set_text_flag(TextFlags& flags, const std::string& name, const std::string& value);
// The names, each with what is set.
std::vector<std::pair<std::string, std::optional<std::string>>> text_flag_values(const TextFlags& flags);

}  // namespace roundhouse::host
