// SPDX-License-Identifier: Apache-2.0
// Replaces prompts.
#include "host/worker/redaction.h"

#include <string_view>
#include <unordered_set>

namespace roundhouse::host {
namespace {

constexpr std::size_t kShortest = 4;
constexpr std::size_t kRun = 16;  // bytes: longer than the words that any two texts share by chance
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

// Runs of kRun bytes and more that are in `what` too: a text that was cut, split into lines or cleaned of its
// line ends is still that text.
void replace_parts(std::string& text, const std::string& what) {
  if (text.size() < kRun || what.size() < kRun) return;
  std::unordered_set<std::string_view> runs;
  for (std::size_t i = 0; i + kRun <= what.size(); ++i)
    runs.insert(std::string_view(what).substr(i, kRun));
  std::string result;
  std::size_t hidden = 0;  // up to here
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = i + kRun <= text.size() && runs.contains(std::string_view(text).substr(i, kRun));
    if (begins && i >= hidden) result += kInstead;
    if (begins) hidden = i + kRun;
    if (i >= hidden) result += text[i];
  }
  text = std::move(result);
}

}  // namespace

std::string without_texts(std::string text, const std::vector<std::string>& texts) {
  for (const std::string& one : texts)
    replace_all(text, one);
  for (const std::string& one : texts)
    replace_parts(text, one);
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
