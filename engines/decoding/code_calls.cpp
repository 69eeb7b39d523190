// SPDX-License-Identifier: Apache-2.0
// Calls written as Python: name(key="value", other=[1, True, None]).
#include <cctype>
#include <utility>

#include "engines/decoding/tool_calls.h"

namespace engines::decoding {
namespace {

using Json = nlohmann::ordered_json;

struct NotCode {};  // thrown where the text is something else

class CodeReader {
 public:
  explicit CodeReader(std::string_view text) : rest_(text) {}

  std::vector<ToolCall> calls(const KnownTools& known) {
    std::vector<ToolCall> all;
    const bool list = take("[");
    for (bool more = true; more; more = list ? take(",") : !at_end()) {
      const bool printed = take("print(");
      all.push_back(call(known));
      if (printed) need(")");
    }
    if (list) need("]");
    if (!at_end()) throw NotCode();
    return all;
  }

 private:
  static constexpr int kDeepest = 64;

  void skip_space() {
    while (!rest_.empty() && std::isspace(static_cast<unsigned char>(rest_.front())))
      rest_.remove_prefix(1);
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  bool take(std::string_view token) {
    skip_space();
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  void need(std::string_view token) {
    if (!take(token)) throw NotCode();
  }

  std::string word() {
    skip_space();
    std::size_t length = 0;
    const auto part = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.';
    };
    while (length < rest_.size() && part(rest_[length]))
      ++length;
    if (length == 0) throw NotCode();
    std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  ToolCall call(const KnownTools& known) {
    ToolCall call;
    call.name = word();
    if (!known.contains(call.name)) throw NotCode();
    Json arguments = Json::object();
    need("(");
    while (!take(")")) {
      const std::string key = word();
      need("=");
      arguments[key] = value(0);
      if (take(",")) continue;
      need(")");
      break;
    }
    call.arguments = compact(arguments);
    return call;
  }

  Json value(int depth) {
    skip_space();
    if (rest_.empty() || depth > kDeepest) throw NotCode();
    if (rest_.front() == '"' || rest_.front() == '\'') return quoted(rest_.front());
    if (take("[")) return list(depth);
    if (take("{")) return dictionary(depth);
    const std::string literal = number_or_word();
    if (literal == "True" || literal == "true") return true;
    if (literal == "False" || literal == "false") return false;
    if (literal == "None" || literal == "null") return nullptr;
    Json number = Json::parse(literal, nullptr, false);
    if (!number.is_number()) throw NotCode();
    return number;
  }

  std::string number_or_word() {
    std::size_t length = 0;
    const auto part = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '+' || c == '-';
    };
    while (length < rest_.size() && part(rest_[length]))
      ++length;
    std::string literal(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return literal;
  }

  Json list(int depth) {
    Json items = Json::array();
    while (!take("]")) {
      items.push_back(value(depth + 1));
      if (!take(",")) {
        need("]");
        break;
      }
    }
    return items;
  }

  Json dictionary(int depth) {
    Json object = Json::object();
    while (!take("}")) {
      const Json key = value(depth + 1);
      if (!key.is_string()) throw NotCode();
      need(":");
      object[key.get<std::string>()] = value(depth + 1);
      if (!take(",")) {
        need("}");
        break;
      }
    }
    return object;
  }

  Json quoted(char quote) {
    std::string text;
    for (std::size_t i = 1; i < rest_.size(); ++i) {
      const char c = rest_[i];
      if (c == quote) {
        rest_.remove_prefix(i + 1);
        return text;
      }
      if (c != '\\') {
        text += c;
        continue;
      }
      if (++i == rest_.size()) break;
      const char escaped = rest_[i];
      text += escaped == 'n' ? '\n' : escaped == 't' ? '\t' : escaped == 'r' ? '\r' : escaped;
    }
    throw NotCode();
  }

  std::string_view rest_;
};

}  // namespace

std::optional<std::vector<ToolCall>> code_calls(std::string_view text, const KnownTools& known) {
  try {
    return CodeReader(text).calls(known);
  } catch (const NotCode&) {
    return std::nullopt;
  }
}

}  // namespace engines::decoding
