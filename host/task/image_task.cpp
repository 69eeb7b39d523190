// SPDX-License-Identifier: Apache-2.0
#include "host/task/image_task.h"

#include <fmt/format.h>

namespace roundhouse::host {

std::optional<std::string> long_prompt_note(const StageTiming& stage,
                                            const std::optional<std::string>& negative_prompt) {
  if (stage.prompt_tokens <= stage.used_prompt_tokens) return std::nullopt;
  const bool two = negative_prompt && !negative_prompt->empty();
  return fmt::format("the prompt{} has {} tokens, and the model reads the first {}: the rest has no effect",
                     two ? ", or the negative prompt," : "", stage.prompt_tokens, stage.used_prompt_tokens);
}

}  // namespace roundhouse::host
