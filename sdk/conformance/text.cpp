// SPDX-License-Identifier: Apache-2.0
#include "sdk/conformance/text.h"

#include <fmt/format.h>

#include <cstdint>

#include "roundhouse/floor.hpp"

namespace conformance {
namespace {

// Bytes after the first of a character, or -1 when the byte cannot begin one.
int tail_length(unsigned char first) {
  if (first < 0x80) return 0;
  if (first >= 0xC2 && first <= 0xDF) return 1;
  if (first >= 0xE0 && first <= 0xEF) return 2;
  return first >= 0xF0 && first <= 0xF4 ? 3 : -1;
}

}  // namespace

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const int tail = tail_length(first);
    if (tail < 0 || text.size() - i <= static_cast<std::size_t>(tail)) return false;
    for (int k = 1; k <= tail; ++k) {
      const auto byte = static_cast<unsigned char>(text[i + static_cast<std::size_t>(k)]);
      const unsigned low = k > 1 ? 0x80 : first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
      const unsigned high = k > 1 ? 0xBF : first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
      if (byte < low || byte > high) return false;
    }
    i += static_cast<std::size_t>(tail) + 1;
  }
  return true;
}

bool is_text(const char* text) {
  return text != nullptr && *text != '\0' && is_utf8(text);
}

bool is_engine_id(std::string_view id) {
  constexpr std::string_view first = "abcdefghijklmnopqrstuvwxyz0123456789";
  constexpr std::string_view later = "abcdefghijklmnopqrstuvwxyz0123456789._-";
  return !id.empty() && id.size() <= 63 && first.find(id[0]) != std::string_view::npos &&
         id.find_first_not_of(later) == std::string_view::npos;
}

std::string problem_of(const rh_facts* list) {
  if (!roundhouse::reaches_floor(list)) return "the list is NULL or too small";
  if (list->count == 0) return {};
  if (!roundhouse::reaches_floor(list->items)) return "the records are NULL or too small";
  for (std::uint32_t i = 0; i < list->count; ++i) {
    const rh_fact& fact = roundhouse::list_item(list->items, i);
    if (!roundhouse::reaches_floor(&fact)) return fmt::format("record {} is too small", i);
    if (!is_text(fact.key) || !is_text(fact.value)) {
      return fmt::format("record {} has a key or value that is NULL, empty or not UTF-8", i);
    }
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> facts_of(const rh_facts* list) {
  std::vector<std::pair<std::string, std::string>> facts;
  if (!problem_of(list).empty()) return facts;
  for (std::uint32_t i = 0; i < list->count; ++i) {
    const rh_fact& fact = roundhouse::list_item(list->items, i);
    facts.emplace_back(fact.key, fact.value);
  }
  return facts;
}

}  // namespace conformance
