// SPDX-License-Identifier: Apache-2.0
// Checks and cleans texts of plugins.
#include "host/loading/text.h"

#include <fmt/format.h>
#include <utf8proc.h>

#include <cstring>

namespace roundhouse::host {
namespace {

// The character at the front and its length in bytes; negative: no UTF-8.
struct Character {
  utf8proc_int32_t code = -1;
  utf8proc_ssize_t length = -1;
};

Character front(std::string_view text) {
  Character result;
  result.length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                   static_cast<utf8proc_ssize_t>(text.size()), &result.code);
  return result;
}

// C0, DEL and C1: terminals obey them.
bool is_control(utf8proc_int32_t code) {
  return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

}  // namespace

std::string problem_of_text(const char* text, std::size_t longest) {
  if (text == nullptr) return "is NULL";
  const std::size_t length = ::strnlen(text, longest + 1);
  if (length > longest) return fmt::format("is longer than {} bytes", longest);
  std::string_view rest(text, length);
  while (!rest.empty()) {
    const Character character = front(rest);
    if (character.length <= 0) return "is not UTF-8";
    if (is_control(character.code)) return "holds a control character";
    rest.remove_prefix(static_cast<std::size_t>(character.length));
  }
  return "";
}

std::string cleaned_text(const char* text, std::size_t longest) {
  if (text == nullptr) return "";
  std::string_view rest(text, ::strnlen(text, longest));
  std::string result;
  while (!rest.empty()) {
    const Character character = front(rest);
    const std::size_t length = character.length > 0 ? static_cast<std::size_t>(character.length) : 1;
    if (character.length <= 0) {
      result += "\xef\xbf\xbd";
    } else if (is_control(character.code)) {
      result += ' ';
    } else {
      result += rest.substr(0, length);
    }
    rest.remove_prefix(length);
  }
  return result;
}

}  // namespace roundhouse::host
