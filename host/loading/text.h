// SPDX-License-Identifier: Apache-2.0
// Texts that come out of a plugin.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace roundhouse::host {

// What is wrong with a plugin's string: "is NULL", "is longer than 200 bytes", "is not UTF-8", "holds a
// control character", or "".
std::string problem_of_text(const char* text, std::size_t longest);

// For messages: at most `longest` bytes up to a NUL; what is not UTF-8 becomes U+FFFD, a control character a
// space. NULL becomes "".
std::string cleaned_text(const char* text, std::size_t longest);

}  // namespace roundhouse::host
