// SPDX-License-Identifier: Apache-2.0
// Regular expressions of tokenizer files, by Oniguruma: the library and the syntax that they were written
// for.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engines/tokenizer/stage_config.h"

namespace engines {

// A part of a text, in bytes: one match of a pattern, or what lies between two.
struct PatternPart {
  std::size_t begin;
  std::size_t end;
  bool match;
};

// Thread-safe after construction.
class Pattern {
 public:
  // A literal text.
  static Pattern literal(std::string text);
  // MODEL_INVALID with the reason where the expression cannot be compiled; `shown` names its place.
  static Pattern regex(const std::string& expression, const std::string& shown);
  // The field `pattern` of a component: {"String": text} or {"Regex": expression}.
  static Pattern read(const StageConfig& component);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // All of the text (valid UTF-8) in order and without gaps; matches may be empty. An expression that
  // backtracks without bound is INVALID_ARGUMENT: steps and memory for one match, and time for the whole
  // text, are limited.
  std::vector<PatternPart> parts(std::string_view text) const;
  // The text with every match replaced. INVALID_ARGUMENT where the result is longer than `most` bytes.
  std::string replace(std::string_view text, std::string_view by, std::size_t most) const;
  // The expression as written; empty for a literal text.
  const std::string& expression() const { return expression_; }

 private:
  struct Compiled;
  Pattern();
  template <class Found>
  static void search(const Compiled& compiled, std::string_view text, const Found& found);

  std::string literal_;
  std::string expression_;
  std::unique_ptr<Compiled> compiled_;
};

}  // namespace engines
