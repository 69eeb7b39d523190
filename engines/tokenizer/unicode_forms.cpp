// SPDX-License-Identifier: Apache-2.0
// Normalization forms by way of utf8proc.
#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

#include "engines/tokenizer/unicode.h"

namespace engines::unicode {
namespace {

int combining_class(utf8proc_int32_t c) {
  return utf8proc_get_property(c)->combining_class;
}

// Decomposition without reordering; `compat` is UTF8PROC_COMPAT or nothing.
std::vector<utf8proc_int32_t> decompose(std::string_view text, int compat) {
  std::vector<utf8proc_int32_t> all;
  all.reserve(text.size() / 2);
  std::array<utf8proc_int32_t, 64> parts{};
  int boundary = 0;
  while (!text.empty()) {
    const auto [c, bytes] = decode_first(text);
    assert(bytes > 0);
    const auto count = utf8proc_decompose_char(
        static_cast<utf8proc_int32_t>(c), parts.data(), parts.size(),
        static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | compat), &boundary);
    assert(count > 0 && count <= static_cast<utf8proc_ssize_t>(parts.size()));
    all.insert(all.end(), parts.begin(), parts.begin() + count);
    text.remove_prefix(bytes);
  }
  return all;
}

// utf8proc_decompose reorders by a sort that is quadratic in the length of a run of marks; this is not.
void reorder_marks(std::vector<utf8proc_int32_t>& all) {
  const auto is_mark = [](utf8proc_int32_t c) { return combining_class(c) != 0; };
  const auto earlier = [](utf8proc_int32_t a, utf8proc_int32_t b) {
    return combining_class(a) < combining_class(b);
  };
  auto begin = all.begin();
  while ((begin = std::find_if(begin, all.end(), is_mark)) != all.end()) {
    const auto end = std::find_if_not(begin, all.end(), is_mark);
    std::stable_sort(begin, end, earlier);
    begin = end;
  }
}

// Nothing below U+0300 (whose UTF-8 begins with 0xCC) composes or decomposes under NFC.
bool is_inert(std::string_view text, unsigned char below) {
  return std::all_of(text.begin(), text.end(),
                     [&](char byte) { return static_cast<unsigned char>(byte) < below; });
}

std::string normal_form(std::string_view text, int compat, bool compose) {
  auto all = decompose(text, compat);
  reorder_marks(all);
  auto count = static_cast<utf8proc_ssize_t>(all.size());
  if (compose)
    count = utf8proc_normalize_utf32(all.data(), count,
                                     static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  std::string normal;
  normal.reserve(text.size());
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    append_utf8(normal, static_cast<char32_t>(all[static_cast<std::size_t>(i)]));
  return normal;
}

}  // namespace

std::string nfc(std::string_view text) {
  return is_inert(text, 0xCC) ? std::string(text) : normal_form(text, 0, true);
}
std::string nfd(std::string_view text) {
  return is_inert(text, 0x80) ? std::string(text) : normal_form(text, 0, false);
}
std::string nfkc(std::string_view text) {
  return is_inert(text, 0x80) ? std::string(text) : normal_form(text, UTF8PROC_COMPAT, true);
}
std::string nfkd(std::string_view text) {
  return is_inert(text, 0x80) ? std::string(text) : normal_form(text, UTF8PROC_COMPAT, false);
}

}  // namespace engines::unicode
