// SPDX-License-Identifier: Apache-2.0
// What the system says about a failed call, in the form that messages of this program have.
#pragma once

#include <string>
#include <system_error>

namespace roundhouse::host {

// "no such file or directory": lower case, for the end of a message. Abbreviations stay as they are.
inline std::string reason(const std::error_code& error) {
  std::string text = error.message();
  const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
  if (text.size() > 1 && upper(text[0]) && !upper(text[1])) text[0] = static_cast<char>(text[0] - 'A' + 'a');
  return text;
}

inline std::string reason(int error_number) {
  return reason(std::error_code(error_number, std::generic_category()));
}

}  // namespace roundhouse::host
