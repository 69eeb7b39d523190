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

std::string without_texts(std::string text, const std::vector<std::string>& texts) {
  for (const std::string& one : texts)
    replace_all(text, one);
  return text;
}

std::vector<std::string> private_texts(const ImageTask& task) {
  std::vector<std::string> texts{task.prompt};
  if (task.negative_prompt) texts.push_back(*task.negative_prompt);
  return texts;
}

std::string without_prompts(std::string text, const ImageTask& job) {
  return without_texts(std::move(text), private_texts(job));
}

}  // namespace roundhouse::host
