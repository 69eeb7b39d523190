// SPDX-License-Identifier: Apache-2.0
// Python's text forms of values.
#include "engines/tokenizer/jinja/text_forms.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "engines/tokenizer/unicode.h"

namespace engines::jinja {
namespace {

std::string hex(const char* format, char32_t c) {
  std::array<char, 16> buffer{};
  const int count = std::snprintf(buffer.data(), buffer.size(), format, static_cast<unsigned>(c));
  return {buffer.data(), static_cast<std::size_t>(count)};
}

std::string repr_of_string(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const bool has_double = text.find('"') != std::string_view::npos;
  const char quote = has_single && !has_double ? '"' : '\'';
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      out += hex("\\x%02x", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out += quote;
}

// Containers can be small and yet large as text, when parts of them are shared: hence the limit while
// writing.
class Writer {
 public:
  explicit Writer(Runtime& runtime) : runtime_(runtime) {}
  void add(std::string_view text) {
    out_ += text;
    if (out_.size() > longest_text)
      runtime_.fail(fmt::format("makes a text of more than {} bytes", longest_text));
  }
  std::string take() {
    runtime_.charge_bytes(out_.size());
    return std::move(out_);
  }
  [[noreturn]] void fail(const std::string& what) const { runtime_.fail(what); }

 private:
  Runtime& runtime_;
  std::string out_;
};

void write_repr(Writer& out, const Value& value);

void write_list(Writer& out, const List& list) {
  out.add(list.tuple ? "(" : "[");
  for (std::size_t i = 0; i < list.items.size(); ++i) {
    if (i > 0) out.add(", ");
    write_repr(out, list.items[i]);
  }
  if (list.tuple && list.items.size() == 1) out.add(",");
  out.add(list.tuple ? ")" : "]");
}

void write_dict(Writer& out, const Object& dict) {
  out.add("{");
  bool first = true;
  for (const auto& [key, member] : dict.members) {
    if (!first) out.add(", ");
    first = false;
    out.add(repr_of_string(key));
    out.add(": ");
    write_repr(out, member);
  }
  out.add("}");
}

void write_repr(Writer& out, const Value& value) {
  if (value.is_undefined())
    out.add("Undefined");
  else if (value.is_none())
    out.add("None");
  else if (const auto* const boolean = value.boolean())
    out.add(*boolean ? "True" : "False");
  else if (const auto* const integer = value.integer())
    out.add(std::to_string(*integer));
  else if (const auto* const real = value.real())
    out.add(float_text(*real));
  else if (const auto* const text = value.string())
    out.add(repr_of_string(*text));
  else if (const auto* const list = value.list())
    write_list(out, *list);
  else if (const auto* const dict = value.dict())
    write_dict(out, *dict);
  else
    out.fail("a " + value.type_name() + " cannot be written as text");
}

std::string json_string(std::string_view text, bool ensure_ascii) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto [c, bytes] = unicode::decode_first(text);
    const std::size_t length = std::max<std::size_t>(bytes, 1);
    static constexpr std::string_view plain = "\"\\\n\r\t\f\b";
    static constexpr std::array<std::string_view, 7> escaped{"\\\"", "\\\\", "\\n", "\\r",
                                                             "\\t",  "\\f",  "\\b"};
    if (const auto at = c < 0x80 ? plain.find(static_cast<char>(c)) : std::string_view::npos;
        at != std::string_view::npos)
      out += escaped[at];
    else if (c < 0x20 || (ensure_ascii && c >= 0x7F && c < 0x10000 && c != 0x7F))
      out += hex("\\u%04x", c);
    else if (ensure_ascii && c >= 0x10000)
      out +=
          hex("\\u%04x", 0xD800 + ((c - 0x10000) >> 10)) + hex("\\u%04x", 0xDC00 + ((c - 0x10000) & 0x3FF));
    else
      out.append(text.substr(0, length));
    text.remove_prefix(length);
  }
  return out += '"';
}

class JsonWriter {
 public:
  JsonWriter(Runtime& runtime, const JsonStyle& style) : out_(runtime), style_(style) {}

  void write(const Value& value, int level) {
    if (value.is_none())
      out_.add("null");
    else if (const auto* const boolean = value.boolean())
      out_.add(*boolean ? "true" : "false");
    else if (const auto* const integer = value.integer())
      out_.add(std::to_string(*integer));
    else if (const auto* const real = value.real())
      out_.add(number(*real));
    else if (const auto* const text = value.string())
      out_.add(json_string(*text, style_.ensure_ascii));
    else if (const auto* const list = value.list())
      write_list(*list, level);
    else if (const auto* const dict = value.dict())
      write_dict(*dict, level);
    else
      out_.fail("tojson: a value that is " + value.type_name() + " has no JSON form");
  }

  std::string take() { return out_.take(); }

 private:
  static std::string number(double real) {
    if (std::isnan(real)) return "NaN";
    if (std::isinf(real)) return real > 0 ? "Infinity" : "-Infinity";
    return float_text(real);
  }

  void break_line(int level) {
    if (!style_.lines) return;
    out_.add("\n");
    for (int i = 0; i < level; ++i)
      out_.add(style_.indent);
  }

  void write_list(const List& list, int level) {
    if (list.items.empty()) return out_.add("[]");
    out_.add("[");
    for (std::size_t i = 0; i < list.items.size(); ++i) {
      if (i > 0) out_.add(style_.item_separator);
      break_line(level + 1);
      write(list.items[i], level + 1);
    }
    break_line(level);
    out_.add("]");
  }

  void write_dict(const Object& dict, int level) {
    if (dict.members.empty()) return out_.add("{}");
    std::vector<const std::pair<std::string, Value>*> members;
    for (const auto& member : dict.members)
      members.push_back(&member);
    if (style_.sort_keys)
      std::sort(members.begin(), members.end(),
                [](const auto* a, const auto* b) { return a->first < b->first; });
    out_.add("{");
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out_.add(style_.item_separator);
      break_line(level + 1);
      out_.add(json_string(members[i]->first, style_.ensure_ascii));
      out_.add(style_.key_separator);
      write(members[i]->second, level + 1);
    }
    break_line(level);
    out_.add("}");
  }

  Writer out_;
  const JsonStyle& style_;
};

}  // namespace

std::string to_text(Runtime& runtime, const Value& value) {
  if (value.is_undefined()) return "";
  if (const auto* const text = value.string()) {
    runtime.charge_bytes(text->size());
    return *text;
  }
  return to_repr(runtime, value);
}

std::string to_repr(Runtime& runtime, const Value& value) {
  Writer out(runtime);
  write_repr(out, value);
  return out.take();
}

std::string float_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  std::array<char, 40> buffer{};
  const auto shortest =
      std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, std::chars_format::scientific);
  const std::string_view scientific(buffer.data(), static_cast<std::size_t>(shortest.ptr - buffer.data()));
  const auto e = scientific.find('e');
  const int exponent = std::atoi(scientific.data() + e + 1);
  // Python writes an exponent below 1e-4 and from 1e16 on.
  if (exponent < -4 || exponent >= 16) return std::string(scientific);
  std::array<char, 40> fixed{};
  const auto end = std::to_chars(fixed.data(), fixed.data() + fixed.size(), value, std::chars_format::fixed);
  std::string text(fixed.data(), end.ptr);
  if (text.find('.') == std::string::npos) text += ".0";
  return text;
}

std::string to_json(Runtime& runtime, const Value& value, const JsonStyle& style) {
  JsonWriter writer(runtime, style);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace engines::jinja
