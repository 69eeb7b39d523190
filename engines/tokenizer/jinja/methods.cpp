// SPDX-License-Identifier: Apache-2.0
// The methods, one function each, and the tables that name them.
#include "engines/tokenizer/jinja/methods.h"

#include <algorithm>
#include <array>

#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/jinja/text_operations.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

bool has_affix(const std::string& text, const Value& affix, bool at_end, const Arguments& arguments) {
  if (const auto* const part = affix.string())
    return at_end ? text.ends_with(*part) : text.starts_with(*part);
  if (affix.list() == nullptr || !affix.list()->tuple)
    arguments.fail("the argument is " + affix.type_name() + ", expected str or a tuple of str");
  return std::any_of(affix.list()->items.begin(), affix.list()->items.end(), [&](const Value& part) {
    return part.string() != nullptr && has_affix(text, part, at_end, arguments);
  });
}

Value startswith(const std::string& text, Arguments& arguments) {
  return has_affix(text, arguments.take("prefix"), false, arguments);
}
Value endswith(const std::string& text, Arguments& arguments) {
  return has_affix(text, arguments.take("suffix"), true, arguments);
}

Value stripped(const std::string& text, Arguments& arguments, bool left, bool right) {
  const Value characters = arguments.take("chars", Value(None{}));
  if (!characters.is_none() && characters.string() == nullptr)
    arguments.fail("the argument is " + characters.type_name() + ", expected str");
  if (characters.string() != nullptr)
    arguments.runtime().charge_search(text.size(), characters.string()->size());
  return arguments.runtime().text(std::string(strip(text, characters, left, right)));
}
Value strip_both(const std::string& text, Arguments& arguments) {
  return stripped(text, arguments, true, true);
}
Value strip_left(const std::string& text, Arguments& arguments) {
  return stripped(text, arguments, true, false);
}
Value strip_right(const std::string& text, Arguments& arguments) {
  return stripped(text, arguments, false, true);
}

// The words between white space, at most `most` splits.
std::vector<std::string> split_words(std::string_view text, std::int64_t most) {
  std::vector<std::string> words;
  text = strip(text, Value(None{}), true, false);
  while (!text.empty()) {
    if (most >= 0 && static_cast<std::int64_t>(words.size()) == most) {
      words.emplace_back(strip(text, Value(None{}), false, true));
      break;
    }
    std::size_t end = 0;
    while (end < text.size() && !is_python_space(unicode::decode_first(text.substr(end)).value))
      end += std::max<std::size_t>(unicode::decode_first(text.substr(end)).bytes, 1);
    words.emplace_back(text.substr(0, end));
    text = strip(text.substr(end), Value(None{}), true, false);
  }
  return words;
}

Value split_text(const std::string& text, Arguments& arguments, bool from_right) {
  Runtime& runtime = arguments.runtime();
  const Value separator = arguments.take("sep", Value(None{}));
  const std::int64_t most = arguments.take_integer("maxsplit", -1);
  std::vector<std::string> parts;
  if (separator.is_none()) {
    if (from_right && most >= 0) arguments.fail("a limit without a separator is not supported");
    parts = split_words(text, most);
  } else {
    if (separator.string() == nullptr || separator.string()->empty())
      arguments.fail("the separator is not a string, or is empty");
    const std::string& sep = *separator.string();
    runtime.charge_search(text.size(), sep.size());
    std::string_view rest = text;
    while (most < 0 || static_cast<std::int64_t>(parts.size()) < most) {
      const auto at = from_right ? rest.rfind(sep) : rest.find(sep);
      if (at == std::string_view::npos) break;
      parts.emplace_back(from_right ? rest.substr(at + sep.size()) : rest.substr(0, at));
      rest = from_right ? rest.substr(0, at) : rest.substr(at + sep.size());
    }
    parts.emplace_back(rest);
    if (from_right) std::reverse(parts.begin(), parts.end());
  }
  runtime.charge_bytes(text.size());
  runtime.charge(parts.size());
  std::vector<Value> values;
  for (auto& part : parts)
    values.emplace_back(std::move(part));
  return runtime.list(std::move(values));
}
Value split(const std::string& text, Arguments& arguments) {
  return split_text(text, arguments, false);
}
Value rsplit(const std::string& text, Arguments& arguments) {
  return split_text(text, arguments, true);
}

Value splitlines(const std::string& text, Arguments& arguments) {
  const bool keep = arguments.take_flag("keepends", false);
  Runtime& runtime = arguments.runtime();
  std::vector<Value> lines;
  std::string_view rest = text;
  while (!rest.empty()) {
    runtime.charge(1);
    const auto end = rest.find_first_of("\n\r");
    const std::size_t length = end == std::string_view::npos          ? 0
                               : rest.substr(end).starts_with("\r\n") ? 2
                                                                      : 1;
    const std::size_t line = std::min(end, rest.size());
    lines.emplace_back(std::string(rest.substr(0, keep ? line + length : line)));
    rest.remove_prefix(line + length);
  }
  return runtime.list(std::move(lines));
}

Value replace_method(const std::string& text, Arguments& arguments) {
  const std::string old = arguments.take_text("old");
  const std::string with = arguments.take_text("new");
  return arguments.runtime().text(
      replace(arguments.runtime(), text, old, with, arguments.take_integer("count", -1)));
}

Value lower_method(const std::string& text, Arguments& arguments) {
  return arguments.runtime().text(lower(text));
}
Value upper_method(const std::string& text, Arguments& arguments) {
  return arguments.runtime().text(upper(text));
}
Value capitalize_method(const std::string& text, Arguments& arguments) {
  return arguments.runtime().text(capitalize(text));
}

// A capital after everything that is no letter.
Value title_method(const std::string& text, Arguments& arguments) {
  std::string out;
  bool inside = false;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto [c, bytes] = unicode::decode_first(rest);
    unicode::append_utf8(out, inside ? unicode::to_lower(c) : unicode::to_upper(c));
    inside = unicode::class_of(c) == unicode::CharClass::letter;
    rest.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return arguments.runtime().text(std::move(out));
}

// In characters, not bytes.
Value find(const std::string& text, Arguments& arguments) {
  const std::string part = arguments.take_text("sub");
  arguments.runtime().charge_search(text.size(), part.size());
  const auto at = text.find(part);
  if (at == std::string::npos) return -1;
  return static_cast<std::int64_t>(elements(arguments.runtime(), Value(text.substr(0, at))).size());
}

Value count(const std::string& text, Arguments& arguments) {
  const std::string part = arguments.take_text("sub");
  if (part.empty()) return static_cast<std::int64_t>(elements(arguments.runtime(), Value(text)).size() + 1);
  arguments.runtime().charge_search(text.size(), part.size());
  std::int64_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size()))
    ++found;
  return found;
}

Value join(const std::string& text, Arguments& arguments) {
  std::string out;
  bool first = true;
  for (const auto& part : elements(arguments.runtime(), arguments.take("iterable"))) {
    if (part.string() == nullptr) arguments.fail("an element is " + part.type_name() + ", expected str");
    if (!std::exchange(first, false)) out += text;
    out += *part.string();
    if (out.size() > longest_text) break;  // refused below
  }
  return arguments.runtime().text(std::move(out));
}

Value removeprefix(const std::string& text, Arguments& arguments) {
  const std::string prefix = arguments.take_text("prefix");
  return arguments.runtime().text(text.starts_with(prefix) ? text.substr(prefix.size()) : text);
}
Value removesuffix(const std::string& text, Arguments& arguments) {
  const std::string suffix = arguments.take_text("suffix");
  return arguments.runtime().text(text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size())
                                                         : text);
}

bool all_of_class(std::string_view text, unicode::CharClass wanted) {
  if (text.empty()) return false;
  while (!text.empty()) {
    const auto [c, bytes] = unicode::decode_first(text);
    if (unicode::class_of(c) != wanted) return false;
    text.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return true;
}
Value isdigit(const std::string& text, Arguments& arguments) {
  arguments.runtime().charge_bytes(text.size());
  return all_of_class(text, unicode::CharClass::number);
}
Value isalpha(const std::string& text, Arguments& arguments) {
  arguments.runtime().charge_bytes(text.size());
  return all_of_class(text, unicode::CharClass::letter);
}
Value isspace(const std::string& text, Arguments& arguments) {
  arguments.runtime().charge_bytes(text.size());
  return !text.empty() && strip(text, Value(None{}), true, false).empty();
}

struct StringMethod {
  std::string_view name;
  Value (*call)(const std::string& text, Arguments& arguments);
};
constexpr std::array string_methods{StringMethod{"startswith", startswith},
                                    StringMethod{"endswith", endswith},
                                    StringMethod{"strip", strip_both},
                                    StringMethod{"lstrip", strip_left},
                                    StringMethod{"rstrip", strip_right},
                                    StringMethod{"split", split},
                                    StringMethod{"rsplit", rsplit},
                                    StringMethod{"splitlines", splitlines},
                                    StringMethod{"replace", replace_method},
                                    StringMethod{"lower", lower_method},
                                    StringMethod{"upper", upper_method},
                                    StringMethod{"capitalize", capitalize_method},
                                    StringMethod{"title", title_method},
                                    StringMethod{"find", find},
                                    StringMethod{"count", count},
                                    StringMethod{"join", join},
                                    StringMethod{"removeprefix", removeprefix},
                                    StringMethod{"removesuffix", removesuffix},
                                    StringMethod{"isdigit", isdigit},
                                    StringMethod{"isalpha", isalpha},
                                    StringMethod{"isspace", isspace}};

constexpr std::array<std::string_view, 26> other_string_methods{
    "casefold", "center",     "encode",    "expandtabs",   "format",    "format_map", "index",
    "isalnum",  "isascii",    "isdecimal", "isidentifier", "islower",   "isnumeric",  "isprintable",
    "istitle",  "isupper",    "ljust",     "maketrans",    "partition", "rfind",      "rindex",
    "rjust",    "rpartition", "swapcase",  "translate",    "zfill"};
constexpr std::array<std::string_view, 11> dict_methods{
    "clear", "copy", "fromkeys", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"};
constexpr std::array<std::string_view, 11> list_methods{
    "append", "clear", "copy", "count", "extend", "index", "insert", "pop", "remove", "reverse", "sort"};

template <class Names>
bool is_among(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const StringMethod* find_string_method(std::string_view name) {
  const auto* const found = std::find_if(string_methods.begin(), string_methods.end(),
                                         [&](const StringMethod& method) { return method.name == name; });
  return found == string_methods.end() ? nullptr : found;
}

Value call_dict_method(const Object& dict, std::string_view name, Arguments& arguments) {
  Runtime& runtime = arguments.runtime();
  runtime.charge(dict.members.size() / 16);
  if (name == "items") return items_of(runtime, dict);
  if (name == "get") {
    const Value key = arguments.take("key");
    const Value fallback = arguments.take("default", Value(None{}));
    const Value* const found = key.string() == nullptr ? nullptr : dict.find(*key.string());
    return found == nullptr ? fallback : *found;
  }
  std::vector<Value> parts;
  for (const auto& [key, member] : dict.members)
    parts.push_back(name == "keys" ? Value(key) : member);
  return runtime.list(std::move(parts));
}

}  // namespace

bool is_method(const Value& object, std::string_view name) {
  if (object.string() != nullptr)
    return find_string_method(name) != nullptr || is_among(other_string_methods, name);
  if (object.dict() != nullptr) return is_among(dict_methods, name);
  return object.list() != nullptr && is_among(list_methods, name);
}

Value call_method(const Value& object, std::string_view name, Arguments& arguments) {
  Value result;
  if (object.string() != nullptr && find_string_method(name) != nullptr) {
    result = find_string_method(name)->call(*object.string(), arguments);
  } else if (object.dict() != nullptr &&
             (name == "items" || name == "keys" || name == "values" || name == "get")) {
    result = call_dict_method(*object.dict(), name, arguments);
  } else {
    arguments.runtime().fail("the method " + in_quotes(name) + " of " + object.type_name() +
                             " is not supported");
  }
  arguments.finish();
  return result;
}

Value items_of(Runtime& runtime, const Object& dict) {
  std::vector<Value> items;
  for (const auto& [key, member] : dict.members)
    items.push_back(runtime.list({Value(key), member}, true));
  return runtime.list(std::move(items));
}

}  // namespace engines::jinja
