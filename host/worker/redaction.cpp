// SPDX-License-Identifier: Apache-2.0
// Replaces prompts.
#include "host/worker/redaction.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kShortest = 4;
constexpr const char* kInstead = "<prompt>";

void replace_all(std::string& text, const std::string& what) {
  if (what.size() < kShortest) return;
  std::string result;
  std::size_t from = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, from)) {
    result.append(text, from, at - from).append(kInstead);
    from = at + what.size();
  }
  text = result.append(text, from);
}

}  // namespace

std::string without_prompts(std::string text, const ImageTask& job) {
  replace_all(text, job.prompt);
  if (job.negative_prompt) replace_all(text, *job.negative_prompt);
  return text;
}

}  // namespace roundhouse::host
