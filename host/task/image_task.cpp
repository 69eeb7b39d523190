// SPDX-License-Identifier: Apache-2.0
#include "host/task/image_task.h"

namespace roundhouse::host {

std::optional<std::string> long_prompt_note(const StageTiming& stage) {
  if (stage.prompt_tokens <= stage.used_prompt_tokens) return std::nullopt;
  return "the prompt has " + std::to_string(stage.prompt_tokens) + " tokens, and the model reads the first " +
         std::to_string(stage.used_prompt_tokens) + ": the rest has no effect";
}

}  // namespace roundhouse::host
