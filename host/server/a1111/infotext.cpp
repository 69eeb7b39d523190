// SPDX-License-Identifier: Apache-2.0
#include "host/server/a1111/infotext.h"

#include <nlohmann/json.hpp>
#include <sstream>

namespace roundhouse::host::a1111 {
namespace {

using Pairs = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kFewestPairs = 3;
constexpr const char* kNegative = "Negative prompt:";

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  return begin == std::string::npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// The end of a value that begins at `at`: after the closing quote of a JSON string, else at the next comma.
std::size_t value_end(const std::string& line, std::size_t at) {
  if (at < line.size() && line[at] == '"') {
    for (std::size_t i = at + 1; i < line.size(); ++i) {
      if (line[i] == '\\') {
        ++i;
      } else if (line[i] == '"') {
        return i + 1;
      }
    }
  }
  return std::min(line.find(',', at), line.size());
}

std::string unquoted(const std::string& value) {
  if (value.empty() || value.front() != '"') return value;
  const auto json = nlohmann::json::parse(value, nullptr, false);
  return json.is_string() ? json.get<std::string>() : value;
}

// "Key: value, Key: value"; what is no pair is left out.
Pairs pairs_of(const std::string& line) {
  Pairs pairs;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t colon = line.find(':', at);
    if (colon == std::string::npos) break;
    // What has no colon before the comma is no pair.
    const std::size_t comma = colon == 0 ? std::string::npos : line.rfind(',', colon - 1);
    if (comma != std::string::npos && comma >= at) at = comma + 1;
    const std::size_t begin = std::min(line.find_first_not_of(' ', colon + 1), line.size());
    const std::size_t end = value_end(line, begin);
    const std::string key = trimmed(line.substr(at, colon - at));
    if (!key.empty()) pairs.emplace_back(key, unquoted(trimmed(line.substr(begin, end - begin))));
    const std::size_t next = line.find(',', end);
    at = next == std::string::npos ? line.size() : next + 1;
  }
  return pairs;
}

void add_sides(Pairs& pairs, const std::string& size) {
  const std::size_t x = size.find('x');
  if (x == std::string::npos) return;
  pairs.emplace_back("Size-1", size.substr(0, x));
  pairs.emplace_back("Size-2", size.substr(x + 1));
}

}  // namespace

Pairs parse_infotext(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(trimmed(text));
  for (std::string line; std::getline(stream, line);)
    lines.push_back(line);
  Pairs last = lines.empty() ? Pairs{} : pairs_of(lines.back());
  if (last.size() >= kFewestPairs) {
    lines.pop_back();
  } else {
    last.clear();
  }
  std::string prompt, negative;
  bool in_negative = false;
  for (const std::string& line : lines) {
    const bool begins = line.starts_with(kNegative);
    in_negative = in_negative || begins;
    std::string& target = in_negative ? negative : prompt;
    target +=
        (target.empty() ? "" : "\n") + trimmed(begins ? line.substr(std::string(kNegative).size()) : line);
  }
  Pairs result{{"Prompt", prompt}, {"Negative prompt", negative}};
  for (auto& [key, value] : last) {
    const std::string size = key == "Size" ? value : "";
    result.emplace_back(key, std::move(value));
    add_sides(result, size);
  }
  return result;
}

}  // namespace roundhouse::host::a1111
