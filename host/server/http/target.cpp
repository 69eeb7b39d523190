// SPDX-License-Identifier: Apache-2.0
// Paths, queries and their escapes.
#include "host/server/http/target.h"

#include <algorithm>

#include "host/server/http/message.h"

namespace roundhouse::host::http {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Of "http://" or "https://" at the front, in any case; else 0.
std::size_t scheme_length(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (equal_without_case(text.substr(0, scheme.size()), scheme)) return scheme.size();
  }
  return 0;
}

std::string plain_path(std::string_view path) {
  std::string plain = "/";
  for (const char c : path) {
    if (c != '/' || plain.back() != '/') plain += c;
  }
  if (plain.size() > 1 && plain.back() == '/') plain.pop_back();
  return plain;
}

bool add_query(std::map<std::string, std::string>& query, std::string_view text) {
  while (!text.empty()) {
    const std::string_view pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    const auto name = percent_decoded(pair.substr(0, equals), true);
    const auto value = percent_decoded(
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name || !value) return false;
    query[*name] = *value;
  }
  return true;
}

}  // namespace

std::optional<std::string> percent_decoded(std::string_view text, bool plus) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (plus && c == '+') {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    decoded += c;
  }
  return decoded;
}

std::optional<Target> parse_target(std::string_view text) {
  Target target;
  if (text == "*") {
    target.path = "*";
    return target;
  }
  text = text.substr(0, text.find('#'));
  if (!text.starts_with('/')) {
    const std::size_t begin = scheme_length(text);
    if (begin == 0) return std::nullopt;
    const std::size_t end = std::min(text.find_first_of("/?", begin), text.size());
    target.authority = text.substr(begin, end - begin);
    if (target.authority->empty() || target.authority->find('@') != std::string::npos) return std::nullopt;
    text.remove_prefix(end);
  }
  const auto question = text.find('?');
  target.path = plain_path(text.substr(0, question));
  if (!percent_decoded(target.path)) return std::nullopt;
  if (question != std::string_view::npos && !add_query(target.query, text.substr(question + 1))) {
    return std::nullopt;
  }
  return target;
}

}  // namespace roundhouse::host::http
