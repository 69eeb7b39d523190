// SPDX-License-Identifier: Apache-2.0
// Tells apart what a model writes: answer, reasoning and calls of tools.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engines/decoding/text_values.h"

namespace engines::decoding {

struct OutputPart {
  Channel channel = Channel::answer;
  std::string text;
  std::optional<std::string> tool_name;  // of the first part of a call
  std::uint32_t tool_call = 0;           // its number
};

// Of one answer, as it comes. One thread at a time.
class OutputParser {
 public:
  virtual ~OutputParser() = default;
  // The parts that this text completes; what may be the beginning of a mark is held back.
  virtual std::vector<OutputPart> push(std::string_view text) = 0;
  // What a special token means to it: its text where it is one of the marks that are looked for, else
  // nothing.
  virtual std::string mark([[maybe_unused]] const std::string& special) const { return {}; }
  // No text follows.
  virtual std::vector<OutputPart> finish() = 0;
  // Whether something is held back.
  virtual bool holds() const = 0;
  // Whether the text is within reasoning.
  virtual bool reasons() const = 0;
};

// Everything is the answer.
class PlainParser : public OutputParser {
 public:
  std::vector<OutputPart> push(std::string_view text) override {
    if (text.empty()) return {};
    return {{Channel::answer, std::string(text), {}, 0}};
  }
  std::vector<OutputPart> finish() override { return {}; }
  bool holds() const override { return false; }
  bool reasons() const override { return false; }
};

}  // namespace engines::decoding
