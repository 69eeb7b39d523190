// SPDX-License-Identifier: Apache-2.0
// Text for terminals: wrapped lists, lines that stay lines.
#pragma once

#include <cstddef>
#include <string>

namespace roundhouse::host {

// terminal_text in one line.
std::string one_line(const std::string& text);
// At most so many display columns, without cutting a character.
std::string first_columns(const std::string& text, std::size_t columns);

// "  <label padded to 12><text>" with the text broken at spaces so that no line is wider than `width`
// columns; following lines are indented to the text. A word longer than a line keeps its own.
std::string labelled(const std::string& label, const std::string& text, std::size_t width);

// A help text with lines wider than `width` broken at spaces; the rest begins at column `indent`.
std::string wrapped_help(const std::string& text, std::size_t indent, std::size_t width);

// What COLUMNS says, 40 to 400; else the columns of the terminal behind `descriptor`, at most 120; 100 when
// it is none.
std::size_t terminal_width(int descriptor);

// Display columns of UTF-8, counting each character as one.
std::size_t columns(const std::string& text);

}  // namespace roundhouse::host
