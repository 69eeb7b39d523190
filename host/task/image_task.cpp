// SPDX-License-Identifier: Apache-2.0
#include "host/task/image_task.h"

#include <fmt/format.h>

#include <algorithm>

namespace roundhouse::host {

std::uint32_t ImageTask::steps_done() const {
  if (!init) return steps;
  const double kept = std::min(steps * init->strength, static_cast<double>(steps));
  return std::clamp<std::uint32_t>(steps - static_cast<std::uint32_t>(steps - kept), 1, std::max(steps, 1U));
}

std::optional<std::string> long_prompt_note(const StageTiming& stage,
                                            const std::optional<std::string>& negative_prompt) {
  if (stage.prompt_tokens <= stage.used_prompt_tokens) return std::nullopt;
  const bool two = negative_prompt && !negative_prompt->empty();
  return fmt::format("the prompt{} has {} tokens, and the model reads the first {}: the rest has no effect",
                     two ? ", or the negative prompt," : "", stage.prompt_tokens, stage.used_prompt_tokens);
}

}  // namespace roundhouse::host
