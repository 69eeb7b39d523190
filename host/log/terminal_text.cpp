// SPDX-License-Identifier: Apache-2.0
#include "host/log/terminal_text.h"

#include <utf8proc.h>

#include <array>
#include <cstdio>

namespace roundhouse::host {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

// DEL and C1, which terminals obey; the marks of direction (UAX 9), the separators of lines and paragraphs,
// and the byte order mark, which nobody sees and which change what is read around them.
bool is_hidden(utf8proc_int32_t code) {
  return (code >= 0x7f && code < 0xa0) || code == 0x061c || (code >= 0x200b && code <= 0x200f) ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x206f) || code == 0xfeff;
}

void add_escape(std::string& text, const char* format, utf8proc_int32_t code) {
  std::array<char, 16> escape{};
  std::snprintf(escape.data(), escape.size(), format, static_cast<unsigned>(code));
  text += escape.data();
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    utf8proc_int32_t code = -1;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                         static_cast<utf8proc_ssize_t>(text.size()), &code);
    if (length <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(length));
  }
  return true;
}

std::string terminal_text(std::string_view text, TerminalLines lines) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    utf8proc_int32_t code = -1;
    const auto length = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                         static_cast<utf8proc_ssize_t>(text.size()), &code);
    const std::size_t bytes = length > 0 ? static_cast<std::size_t>(length) : 1;
    if (length <= 0) {
      result += kReplacement;
    } else if (code < 0x20 && !(code == '\n' && lines == TerminalLines::several)) {
      add_escape(result, "\\x%02x", code);
    } else if (is_hidden(code)) {
      add_escape(result, "\\u%04x", code);
    } else {
      result += text.substr(0, bytes);
    }
    text.remove_prefix(bytes);
  }
  return result;
}

}  // namespace roundhouse::host
