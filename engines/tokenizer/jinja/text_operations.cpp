// SPDX-License-Identifier: Apache-2.0
// Operations on text, by characters.
#include "engines/tokenizer/jinja/text_operations.h"

#include <algorithm>

#include "engines/tokenizer/unicode.h"

namespace engines::jinja {
namespace {

template <class Map>
std::string mapped(std::string_view text, Map map) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; !text.empty(); ++i) {
    const auto [c, bytes] = unicode::decode_first(text);
    unicode::append_utf8(out, map(c, i));
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return out;
}

}  // namespace

bool is_python_space(char32_t c) {
  return unicode::is_space(c) || (c >= 0x1C && c <= 0x1F);
}

std::string_view strip(std::string_view text, const Value& characters, bool left, bool right) {
  const auto goes = [&](char32_t c) {
    if (characters.string() == nullptr) return is_python_space(c);
    std::string one;
    unicode::append_utf8(one, c);
    return characters.string()->find(one) != std::string::npos;
  };
  while (left && !text.empty()) {
    const auto [c, bytes] = unicode::decode_first(text);
    if (!goes(c)) break;
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  while (right && !text.empty()) {
    const auto [c, bytes] = unicode::decode_last(text);
    if (!goes(c)) break;
    text.remove_suffix(std::max<std::size_t>(bytes, 1));
  }
  return text;
}

std::string lower(std::string_view text) {
  return mapped(text, [](char32_t c, std::size_t) { return unicode::to_lower(c); });
}
std::string upper(std::string_view text) {
  return mapped(text, [](char32_t c, std::size_t) { return unicode::to_upper(c); });
}
std::string capitalize(std::string_view text) {
  return mapped(
      text, [](char32_t c, std::size_t i) { return i == 0 ? unicode::to_upper(c) : unicode::to_lower(c); });
}

std::string replace(Runtime& runtime, std::string_view text, std::string_view old, std::string_view with,
                    std::int64_t most) {
  runtime.charge_search(text.size(), old.size());
  std::string out;
  std::int64_t done = 0;
  const auto more = [&] { return (most < 0 || done < most) && out.size() <= longest_text; };
  while (more()) {
    // An empty text is found before every character, and at the end.
    if (old.empty()) {
      out += with;
      ++done;
      if (text.empty()) break;
      const auto bytes = std::max<std::size_t>(unicode::decode_first(text).bytes, 1);
      out += text.substr(0, bytes);
      text.remove_prefix(bytes);
      continue;
    }
    const auto at = text.find(old);
    if (at == std::string_view::npos) break;
    out.append(text.substr(0, at)).append(with);
    text.remove_prefix(at + old.size());
    ++done;
  }
  runtime.charge(static_cast<std::uint64_t>(done) / 16);
  return out.append(text);
}

}  // namespace engines::jinja
