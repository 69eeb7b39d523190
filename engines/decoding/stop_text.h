// SPDX-License-Identifier: Apache-2.0
// Ends a text before the first stop string in it, and holds back what may be the beginning of one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace engines::decoding {

// The string that is complete first ends the text, of several that end at one byte the longest, of equal ones
// the first: how the text is cut into pieces does not matter.
class StopText {
 public:
  // None of them empty; valid UTF-8, so that nothing is ever cut within a character.
  explicit StopText(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  // What of the text so far can go out. Nothing more once a stop string was found.
  std::string push(std::string_view text);
  // No text follows: what was held back.
  std::string finish();
  // Index of the stop string that ended the text.
  std::optional<std::uint32_t> found() const { return found_; }
  // Whether something is held back.
  bool holds() const { return !held_.empty(); }

 private:
  std::size_t longest_beginning() const;

  std::vector<std::string> stops_;
  std::string held_;
  std::optional<std::uint32_t> found_;
};

}  // namespace engines::decoding
