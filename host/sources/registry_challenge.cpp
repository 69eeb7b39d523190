// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_challenge.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "host/text/letters.h"

namespace roundhouse::host {
namespace {

bool is_token_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// One header, from left to right.
class Reader {
 public:
  Reader(std::string_view text, std::vector<AuthChallenge>& challenges)
      : rest_(text), challenges_(challenges) {}

  void read() {
    AuthChallenge* current = nullptr;
    for (skip(" \t,"); !rest_.empty(); skip(" \t,")) {
      const std::string name = lowered(token());
      if (name.empty()) return;
      const bool spaced = skip(" \t");
      if (current != nullptr && take('=')) {
        skip(" \t");
        const auto value = this->value();
        if (!value) return;
        current->parameters.emplace(name, *value);
        continue;
      }
      if (!spaced && !rest_.empty() && rest_.front() != ',') return;
      current = &challenges_.emplace_back(AuthChallenge{name, {}});
      skip_token68();
    }
  }

 private:
  bool skip(std::string_view characters) {
    const std::size_t count = std::min(rest_.find_first_not_of(characters), rest_.size());
    rest_.remove_prefix(count);
    return count > 0;
  }

  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string token() {
    const auto end = std::find_if_not(rest_.begin(), rest_.end(), is_token_character);
    const std::string text(rest_.begin(), end);
    rest_.remove_prefix(text.size());
    return text;
  }

  std::optional<std::string> value() {
    if (!take('"')) {
      std::string text = token();
      if (text.empty()) return std::nullopt;
      return text;
    }
    std::string text;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return text;
      if (c != '\\') {
        text += c;
        continue;
      }
      if (rest_.empty()) break;
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    return std::nullopt;  // the quote is open
  }

  // Some schemes have one word in place of parameters: "Negotiate YII=".
  void skip_token68() {
    const std::size_t end = std::min(rest_.find_first_of(", \t"), rest_.size());
    const std::string_view word = rest_.substr(0, end);
    const std::size_t equals = word.find('=');
    const bool parameter =
        equals != std::string_view::npos && word.find_first_not_of('=', equals) != std::string_view::npos;
    const std::string_view after = rest_.substr(end);
    const std::size_t next = after.find_first_not_of(" \t");
    if (!parameter && (next == std::string_view::npos || after[next] == ',')) rest_.remove_prefix(end);
  }

  std::string_view rest_;
  std::vector<AuthChallenge>& challenges_;
};

}  // namespace

std::string AuthChallenge::get(const std::string& name) const {
  const auto found = parameters.find(name);
  return found == parameters.end() ? "" : found->second;
}

std::vector<AuthChallenge> parse_challenges(const std::vector<std::string>& fields) {
  std::vector<AuthChallenge> challenges;
  for (const std::string& field : fields)
    Reader(field, challenges).read();
  return challenges;
}

}  // namespace roundhouse::host
