// SPDX-License-Identifier: Apache-2.0
// Filters of single values: text, numbers, JSON.
#include "engines/tokenizer/jinja/filters.h"

#include <charconv>
#include <cmath>

#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/jinja/text_forms.h"
#include "engines/tokenizer/jinja/text_operations.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

std::string text_of(const Value& subject, const Arguments& arguments) {
  return to_text(arguments.runtime(), subject);
}

// json.dumps as transformers sets it up: ensure_ascii off, and keys in their order.
Value tojson(const Value& subject, Arguments& arguments) {
  JsonStyle style;
  style.ensure_ascii = arguments.take_flag("ensure_ascii", false);
  const Value indent = arguments.take("indent", Value(None{}));
  const Value separators = arguments.take("separators", Value(None{}));
  style.sort_keys = arguments.take_flag("sort_keys", false);
  Number width;
  if (indent.string() != nullptr) {
    style.indent = *indent.string();
  } else if (as_number(indent, width) && !width.real) {
    if (width.integer > 64) arguments.fail("an indent of more than 64 is not supported");
    style.indent.assign(static_cast<std::size_t>(std::max<std::int64_t>(width.integer, 0)), ' ');
  } else if (!indent.is_none()) {
    arguments.fail("indent is " + indent.type_name() + ", expected int or str");
  }
  style.lines = !indent.is_none();
  if (style.lines) style.item_separator = ",";
  if (!separators.is_none()) {
    const List* const both = separators.list();
    if (both == nullptr || both->items.size() != 2 || both->items[0].string() == nullptr ||
        both->items[1].string() == nullptr)
      arguments.fail("separators: expected a pair of strings");
    style.item_separator = *both->items[0].string();
    style.key_separator = *both->items[1].string();
  }
  return arguments.runtime().text(to_json(arguments.runtime(), subject, style));
}

Value trim(const Value& subject, Arguments& arguments) {
  const Value characters = arguments.take("chars", Value(None{}));
  const std::string text = text_of(subject, arguments);
  if (characters.string() != nullptr)
    arguments.runtime().charge_search(text.size(), characters.string()->size());
  return arguments.runtime().text(std::string(strip(text, characters, true, true)));
}

Value lower_filter(const Value& subject, Arguments& arguments) {
  return arguments.runtime().text(lower(text_of(subject, arguments)));
}
Value upper_filter(const Value& subject, Arguments& arguments) {
  return arguments.runtime().text(upper(text_of(subject, arguments)));
}
Value capitalize_filter(const Value& subject, Arguments& arguments) {
  return arguments.runtime().text(capitalize(text_of(subject, arguments)));
}

// Jinja's own rule: a capital after a blank, a dash or an opening bracket.
Value title(const Value& subject, Arguments& arguments) {
  const std::string text = text_of(subject, arguments);
  std::string out;
  bool begins = true;
  std::string_view rest = text;
  while (!rest.empty()) {
    const auto [c, bytes] = unicode::decode_first(rest);
    unicode::append_utf8(out, begins ? unicode::to_upper(c) : unicode::to_lower(c));
    begins = unicode::is_space(c) || c == U'-' || c == U'(' || c == U'{' || c == U'[' || c == U'<';
    rest.remove_prefix(std::max<std::size_t>(bytes, 1));
  }
  return arguments.runtime().text(std::move(out));
}

Value replace_filter(const Value& subject, Arguments& arguments) {
  const std::string old = to_text(arguments.runtime(), arguments.take("old"));
  const std::string with = to_text(arguments.runtime(), arguments.take("new"));
  const Value count = arguments.take("count", Value(None{}));
  Number number;
  const std::int64_t most = as_number(count, number) && !number.real ? number.integer : -1;
  return arguments.runtime().text(replace(arguments.runtime(), text_of(subject, arguments), old, with, most));
}

Value indent(const Value& subject, Arguments& arguments) {
  const Value width = arguments.take("width", Value(4));
  const bool first = arguments.take_flag("first", false);
  const bool blank = arguments.take_flag("blank", false);
  Number number;
  std::string margin;
  if (width.string() != nullptr)
    margin = *width.string();
  else if (as_number(width, number) && !number.real && number.integer <= 1024)
    margin.assign(static_cast<std::size_t>(std::max<std::int64_t>(number.integer, 0)), ' ');
  else
    arguments.fail("the width is neither a small number nor a text");
  const std::string text = text_of(subject, arguments);
  std::string out = first ? margin : "";
  std::string_view rest = text;
  while (out.size() <= longest_text) {
    const auto end = rest.find('\n');
    out += rest.substr(0, end);
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
    out += '\n';
    if (blank || !(rest.empty() || rest.front() == '\n')) out += margin;
  }
  return arguments.runtime().text(std::move(out));
}

Value escape(const Value& subject, Arguments& arguments) {
  std::string out;
  for (const char c : text_of(subject, arguments)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '"':
        out += "&#34;";
        break;
      default:
        out += c;
    }
  }
  return arguments.runtime().text(std::move(out));
}

Value string(const Value& subject, Arguments& arguments) {
  return arguments.runtime().text(text_of(subject, arguments));
}

// Output is never escaped, so there is nothing to mark.
Value safe(const Value& subject, Arguments&) {
  return subject;
}

Value default_value(const Value& subject, Arguments& arguments) {
  Value fallback = arguments.take("default_value", Value(std::string()));
  const bool also_false = arguments.take_flag("boolean", false);
  return subject.is_undefined() || (also_false && !subject.truthy()) ? fallback : subject;
}

template <class T>
bool parse_whole(std::string_view text, T& value) {
  text = strip(text, Value(None{}), true, true);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

// The whole part of a number, if it fits.
bool truncate(double real, std::int64_t& whole) {
  if (!(std::abs(real) < 0x1p63)) return false;
  whole = static_cast<std::int64_t>(real);
  return true;
}

Value int_filter(const Value& subject, Arguments& arguments) {
  Value fallback = arguments.take("default", Value(0));
  std::int64_t whole = 0;
  double real = 0;
  Number number;
  if (const auto* const text = subject.string()) {
    if (parse_whole(*text, whole) || (parse_whole(*text, real) && truncate(real, whole))) return whole;
  } else if (as_number(subject, number)) {
    if (!number.real) return number.integer;
    if (truncate(number.number, whole)) return whole;
  }
  return fallback;
}

Value float_filter(const Value& subject, Arguments& arguments) {
  Value fallback = arguments.take("default", Value(0.0));
  double real = 0;
  Number number;
  if (subject.string() != nullptr && parse_whole(*subject.string(), real)) return real;
  if (as_number(subject, number)) return number.number;
  return fallback;
}

Value abs_filter(const Value& subject, Arguments& arguments) {
  Number number;
  if (!as_number(subject, number))
    arguments.fail("the value is " + subject.type_name() + ", expected a number");
  if (number.real) return std::abs(number.number);
  return number.integer < 0 ? unary(arguments.runtime(), "-", subject) : Value(number.integer);
}

const std::vector<Filter>& value_filters() {
  static const std::vector<Filter> filters{{"tojson", tojson},
                                           {"trim", trim},
                                           {"lower", lower_filter},
                                           {"upper", upper_filter},
                                           {"capitalize", capitalize_filter},
                                           {"title", title},
                                           {"replace", replace_filter},
                                           {"indent", indent},
                                           {"escape", escape},
                                           {"e", escape},
                                           {"string", string},
                                           {"safe", safe},
                                           {"default", default_value},
                                           {"d", default_value},
                                           {"int", int_filter},
                                           {"float", float_filter},
                                           {"abs", abs_filter}};
  return filters;
}

const Filter* find_filter(std::string_view name) {
  for (const auto* const table : {&value_filters(), &sequence_filters()}) {
    for (const auto& filter : *table) {
      if (filter.name == name) return &filter;
    }
  }
  return nullptr;
}

}  // namespace

bool is_filter(std::string_view name) {
  return find_filter(name) != nullptr;
}

Value call_filter(std::string_view name, const Value& subject, Arguments& arguments) {
  const Filter* const filter = find_filter(name);
  if (filter == nullptr) arguments.runtime().fail("the filter " + in_quotes(name) + " is not supported");
  Value result = filter->call(subject, arguments);
  arguments.finish();
  return result;
}

}  // namespace engines::jinja
