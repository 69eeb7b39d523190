// SPDX-License-Identifier: Apache-2.0
#include "host/sources/link_header.h"

#include <algorithm>

namespace roundhouse::host {
namespace {

char lower_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower_letter(x) == lower_letter(y); });
}

// Whether a list of relations, with spaces between them, has this one.
bool names_relation(std::string_view list, std::string_view wanted) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(" \t"), list.size());
    if (same_word(list.substr(0, end), wanted)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

// One field, from left to right.
class LinkReader {
 public:
  explicit LinkReader(std::string_view field) : rest_(field) {}

  std::optional<std::string> next() {
    for (skip(" \t,"); take('<'); skip(" \t,")) {
      const std::size_t end = rest_.find('>');
      if (end == std::string_view::npos) return std::nullopt;
      const std::string_view target = rest_.substr(0, end);
      rest_.remove_prefix(end + 1);
      const auto relation = parameters();
      if (!relation) return std::nullopt;
      if (names_relation(*relation, "next")) return std::string(target);
    }
    return std::nullopt;
  }

 private:
  // The link's relation, empty without one; none where its parameters cannot be read. Only the first `rel`
  // counts (RFC 8288, 3.3).
  std::optional<std::string_view> parameters() {
    std::optional<std::string_view> relation;
    for (skip(" \t"); take(';'); skip(" \t")) {
      skip(" \t");
      const std::string_view name = word(" \t=;,");
      skip(" \t");
      if (!take('=')) continue;
      skip(" \t");
      const auto value = this->value();
      if (!value) return std::nullopt;
      if (!relation && same_word(name, "rel")) relation = value;
    }
    if (!rest_.empty() && rest_.front() != ',') return std::nullopt;
    return relation.value_or(std::string_view{});
  }

  // Between quotes as it stands there: no relation has a character that needs a backslash.
  std::optional<std::string_view> value() {
    if (!take('"')) return word(" \t;,");
    std::size_t end = 0;
    while (end < rest_.size() && rest_[end] != '"')
      end += rest_[end] == '\\' ? 2 : 1;
    if (end >= rest_.size()) return std::nullopt;  // the quote is open
    const std::string_view text = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::string_view word(std::string_view ends) {
    const std::string_view text = rest_.substr(0, std::min(rest_.find_first_of(ends), rest_.size()));
    rest_.remove_prefix(text.size());
    return text;
  }

  void skip(std::string_view characters) {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(characters), rest_.size()));
  }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::string> next_link(std::string_view field) {
  return LinkReader(field).next();
}

}  // namespace roundhouse::host
