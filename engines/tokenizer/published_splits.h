// SPDX-License-Identifier: Apache-2.0
// Splitting text into the pieces that BPE works on, as the published regular expressions do.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace engines {

enum class SplitRules {
  gpt2,    // " ?" before letters, digits or signs
  qwen2,   // any one sign before letters, digits one at a time, signs take line ends along
  llama3,  // as qwen2, but up to three digits together
};

// The rules of a regular expression that is known by its text; nothing for any other.
std::optional<SplitRules> rules_of_pattern(std::string_view regex);

// The pieces of valid UTF-8, in order and without gaps; views into `text`.
std::vector<std::string_view> split_pieces(std::string_view text, SplitRules rules);

}  // namespace engines
