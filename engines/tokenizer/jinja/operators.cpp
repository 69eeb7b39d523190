// SPDX-License-Identifier: Apache-2.0
// Arithmetic and comparison. Integers have 64 bits; what would need more is an error.
#include "engines/tokenizer/jinja/operators.h"

#include <algorithm>
#include <cmath>

#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

[[noreturn]] void fail_undefined(const Runtime& runtime, const Value& value) {
  runtime.fail(in_quotes(value.undefined()->name) + " is undefined");
}

[[noreturn]] void fail_types(const Runtime& runtime, std::string_view symbol, const Value& a,
                             const Value& b) {
  if (a.is_undefined()) fail_undefined(runtime, a);
  if (b.is_undefined()) fail_undefined(runtime, b);
  runtime.fail("'" + std::string(symbol) + "' is not possible between " + a.type_name() + " and " +
               b.type_name());
}

[[noreturn]] void fail_overflow(const Runtime& runtime, std::string_view symbol) {
  runtime.fail("the result of '" + std::string(symbol) + "' does not fit into 64 bits");
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

double floor_modulo(double a, double b) {
  const double rest = std::fmod(a, b);
  return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}

Value integer_power(Runtime& runtime, std::int64_t base, std::int64_t exponent) {
  if (exponent < 0) return std::pow(static_cast<double>(base), static_cast<double>(exponent));
  std::int64_t result = 1;
  for (std::int64_t i = 0; i < exponent; ++i) {
    if (base == 0 || base == 1) return exponent == 0 ? std::int64_t{1} : base;
    if (base == -1) return exponent % 2 == 0 ? std::int64_t{1} : base;
    if (__builtin_mul_overflow(result, base, &result)) fail_overflow(runtime, "**");
  }
  return result;
}

Value integer_operation(Runtime& runtime, std::string_view symbol, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  if (symbol == "+")
    overflow = __builtin_add_overflow(a, b, &result);
  else if (symbol == "-")
    overflow = __builtin_sub_overflow(a, b, &result);
  else if (symbol == "*")
    overflow = __builtin_mul_overflow(a, b, &result);
  else if (symbol == "**")
    return integer_power(runtime, a, b);
  else if (b == 0)
    runtime.fail("division by zero");
  else if (symbol == "/")
    return static_cast<double>(a) / static_cast<double>(b);
  else if (b == -1)  // the one divisor that can overflow
    overflow = symbol == "//" && __builtin_sub_overflow(std::int64_t{0}, a, &result);
  else if (symbol == "//")
    result = floor_divide(a, b);
  else
    result = a - floor_divide(a, b) * b;
  if (overflow) fail_overflow(runtime, symbol);
  return result;
}

Value real_operation(Runtime& runtime, std::string_view symbol, double a, double b) {
  if (symbol == "+") return a + b;
  if (symbol == "-") return a - b;
  if (symbol == "*") return a * b;
  if (symbol == "**") return std::pow(a, b);
  if (b == 0) runtime.fail("division by zero");
  if (symbol == "/") return a / b;
  if (symbol == "//") return std::floor(a / b);
  return floor_modulo(a, b);
}

Value repeat(Runtime& runtime, const Value& value, std::int64_t times) {
  const auto count = static_cast<std::uint64_t>(std::max<std::int64_t>(times, 0));
  const std::size_t size = value.string() != nullptr ? value.string()->size() : value.list()->items.size();
  std::uint64_t total = 0;
  if (__builtin_mul_overflow(count, std::uint64_t{size}, &total) || total > longest_text)
    runtime.fail("'*' makes a text or a list that is too long");
  if (value.string() != nullptr) {
    std::string text;
    text.reserve(total);
    for (std::uint64_t i = 0; i < count && size > 0; ++i)
      text += *value.string();
    return runtime.text(std::move(text));
  }
  runtime.charge(total);
  std::vector<Value> items;
  for (std::uint64_t i = 0; i < count && size > 0; ++i)
    items.insert(items.end(), value.list()->items.begin(), value.list()->items.end());
  return runtime.list(std::move(items), value.list()->tuple);
}

Value join_lists(Runtime& runtime, const List& a, const List& b) {
  runtime.charge((a.items.size() + b.items.size()) / 4);
  auto items = a.items;
  items.insert(items.end(), b.items.begin(), b.items.end());
  return runtime.list(std::move(items), a.tuple);
}

bool less_lists(Runtime& runtime, const List& a, const List& b) {
  for (std::size_t i = 0; i < a.items.size() && i < b.items.size(); ++i) {
    if (!equal(a.items[i], b.items[i])) return less(runtime, a.items[i], b.items[i]);
  }
  return a.items.size() < b.items.size();
}

// Comparing goes through all of a value.
void charge_for(Runtime& runtime, const Value& value) {
  if (const auto* const text = value.string()) runtime.charge_bytes(text->size());
  if (const auto* const list = value.list()) {
    runtime.charge(list->items.size());
    for (const auto& item : list->items)
      charge_for(runtime, item);
  }
  if (const auto* const dict = value.dict()) {
    runtime.charge(dict->members.size());
    for (const auto& [key, member] : dict->members)
      charge_for(runtime, member);
  }
}

bool repeatable(const Value& value) {
  return value.string() != nullptr || value.list() != nullptr;
}

}  // namespace

Value unary(Runtime& runtime, std::string_view symbol, const Value& operand) {
  if (symbol == "not") return !operand.truthy();
  if (operand.is_undefined()) fail_undefined(runtime, operand);
  Number number;
  if (!as_number(operand, number))
    runtime.fail("'" + std::string(symbol) + "' is not possible before " + operand.type_name());
  if (number.real) return symbol == "-" ? -number.number : number.number;
  return symbol == "-" ? integer_operation(runtime, "-", 0, number.integer) : Value(number.integer);
}

Value binary(Runtime& runtime, std::string_view symbol, const Value& a, const Value& b) {
  Number x;
  Number y;
  const bool number_a = as_number(a, x);
  const bool number_b = as_number(b, y);
  if (number_a && number_b) {
    if (x.real || y.real) return real_operation(runtime, symbol, x.number, y.number);
    return integer_operation(runtime, symbol, x.integer, y.integer);
  }
  if (symbol == "+") {
    if (a.string() != nullptr && b.string() != nullptr) return runtime.text(*a.string() + *b.string());
    if (a.list() != nullptr && b.list() != nullptr && a.list()->tuple == b.list()->tuple)
      return join_lists(runtime, *a.list(), *b.list());
  }
  if (symbol == "*") {
    if (repeatable(a) && number_b && !y.real) return repeat(runtime, a, y.integer);
    if (repeatable(b) && number_a && !x.real) return repeat(runtime, b, x.integer);
  }
  fail_types(runtime, symbol, a, b);
}

bool compare(Runtime& runtime, std::string_view symbol, const Value& a, const Value& b) {
  if (symbol == "in") return contains(runtime, b, a);
  if (symbol == "not in") return !contains(runtime, b, a);
  if (symbol == "==" || symbol == "!=") {
    charge_for(runtime, a);
    return equal(a, b) == (symbol == "==");
  }
  if (symbol == "<") return less(runtime, a, b);
  if (symbol == ">") return less(runtime, b, a);
  // With a NaN all four are false.
  Number x;
  Number y;
  if (as_number(a, x) && as_number(b, y) && (std::isnan(x.number) || std::isnan(y.number))) return false;
  return symbol == "<=" ? !less(runtime, b, a) : !less(runtime, a, b);
}

bool less(Runtime& runtime, const Value& a, const Value& b) {
  Number x;
  Number y;
  if (as_number(a, x) && as_number(b, y))
    return x.real || y.real ? x.number < y.number : x.integer < y.integer;
  // UTF-8 sorts as code points do.
  if (a.string() != nullptr && b.string() != nullptr) {
    runtime.charge_bytes(a.string()->size());
    return *a.string() < *b.string();
  }
  if (a.list() != nullptr && b.list() != nullptr) {
    charge_for(runtime, a);
    return less_lists(runtime, *a.list(), *b.list());
  }
  fail_types(runtime, "<", a, b);
}

bool contains(Runtime& runtime, const Value& container, const Value& item) {
  if (const auto* const text = container.string()) {
    if (item.string() == nullptr) fail_types(runtime, "in", item, container);
    runtime.charge_search(text->size(), item.string()->size());
    return text->find(*item.string()) != std::string::npos;
  }
  if (const auto* const list = container.list()) {
    charge_for(runtime, container);
    return std::any_of(list->items.begin(), list->items.end(),
                       [&](const Value& element) { return equal(element, item); });
  }
  if (const auto* const dict = container.dict()) {
    runtime.charge(dict->members.size() / 16);
    return item.string() != nullptr && dict->find(*item.string()) != nullptr;
  }
  if (container.is_undefined()) return false;
  fail_types(runtime, "in", item, container);
}

}  // namespace engines::jinja
