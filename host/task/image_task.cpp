// SPDX-License-Identifier: Apache-2.0
#include "host/task/image_task.h"

#include <fmt/format.h>

namespace roundhouse::host {

std::optional<std::string> long_prompt_note(const StageTiming& stage) {
  if (stage.prompt_tokens <= stage.used_prompt_tokens) return std::nullopt;
  return fmt::format("the prompt has {} tokens, and the model reads the first {}: the rest has no effect",
                     stage.prompt_tokens, stage.used_prompt_tokens);
}

}  // namespace roundhouse::host
