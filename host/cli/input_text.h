// SPDX-License-Identifier: Apache-2.0
// What a command reads from a file or from standard input.
#pragma once

#include <cstddef>
#include <string>

namespace roundhouse::host {

// The bytes of the whole file, "-" being standard input. `what` names it in messages: "prompt file". Throws
// IO_ERROR, INVALID_ARGUMENT for a file that is longer than `longest` bytes.
std::string read_input(const std::string& what, const std::string& file, std::size_t longest);

// The same without what editors add: a byte order mark in front, carriage returns, and the end of the last
// line.
std::string read_input_text(const std::string& what, const std::string& file, std::size_t longest);

}  // namespace roundhouse::host
