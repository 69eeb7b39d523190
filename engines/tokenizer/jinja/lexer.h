// SPDX-License-Identifier: Apache-2.0
// Cutting a template into text and the tokens of its tags, with Jinja's rules for white space around tags.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace engines::jinja {

struct Token {
  enum class Kind {
    data,
    variable_begin,
    variable_end,
    block_begin,
    block_end,
    name,
    string,
    integer,
    real,
    symbol,
    end
  };
  Kind kind = Kind::end;
  std::string text;  // of a string: with its escapes resolved
  int line = 1;

  bool is(Kind wanted, std::string_view content) const { return kind == wanted && text == content; }
  bool is_symbol(std::string_view content) const { return is(Kind::symbol, content); }
  bool is_name(std::string_view content) const { return is(Kind::name, content); }
};

// As with trim_blocks and lstrip_blocks, which is how chat templates are rendered: the first line end after a
// block is dropped, and so are blanks from the beginning of a line to a block. MODEL_INVALID with the line.
std::vector<Token> tokenize(std::string_view source);

}  // namespace engines::jinja
