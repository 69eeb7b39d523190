// SPDX-License-Identifier: Apache-2.0
// The tests behind `is`.
#include <vector>

#include "engines/tokenizer/jinja/filters.h"
#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/jinja/text_forms.h"
#include "engines/tokenizer/jinja/text_operations.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

struct Test {
  std::string_view name;
  bool (*call)(const Value& subject, Arguments& arguments);
};

bool is_iterable(const Value& value) {
  return value.is_undefined() || value.string() != nullptr || value.list() != nullptr ||
         value.dict() != nullptr;
}

std::int64_t whole(const Value& subject, const Arguments& arguments) {
  Number number;
  if (!as_number(subject, number) || number.real)
    arguments.fail("the value is " + subject.type_name() + ", expected int");
  return number.integer;
}

bool divisible(const Value& subject, Arguments& arguments) {
  const std::int64_t divisor = whole(arguments.take("num"), arguments);
  if (divisor == 0) arguments.fail("division by zero");
  return divisor == -1 || whole(subject, arguments) % divisor == 0;
}

// Python's `is`, where it can be told: the same type and value, for containers the same object.
bool same(const Value& subject, Arguments& arguments) {
  const Value other = arguments.take("other");
  if (subject.type_name() != other.type_name()) return false;
  if (subject.list() != nullptr) return subject.list() == other.list();
  if (subject.object() != nullptr) return subject.object() == other.object();
  return equal(subject, other);
}

template <const char* symbol>
bool compared(const Value& subject, Arguments& arguments) {
  return compare(arguments.runtime(), symbol, subject, arguments.take("other"));
}
constexpr char eq[] = "==";
constexpr char ne[] = "!=";
constexpr char lt[] = "<";
constexpr char le[] = "<=";
constexpr char gt[] = ">";
constexpr char ge[] = ">=";
constexpr char in[] = "in";

const std::vector<Test>& tests() {
  static const std::vector<Test> all{
      {"defined", [](const Value& v, Arguments&) { return !v.is_undefined(); }},
      {"undefined", [](const Value& v, Arguments&) { return v.is_undefined(); }},
      {"none", [](const Value& v, Arguments&) { return v.is_none(); }},
      {"string", [](const Value& v, Arguments&) { return v.string() != nullptr; }},
      {"boolean", [](const Value& v, Arguments&) { return v.boolean() != nullptr; }},
      {"true", [](const Value& v, Arguments&) { return v.boolean() != nullptr && *v.boolean(); }},
      {"false", [](const Value& v, Arguments&) { return v.boolean() != nullptr && !*v.boolean(); }},
      {"integer", [](const Value& v, Arguments&) { return v.integer() != nullptr; }},
      {"float", [](const Value& v, Arguments&) { return v.real() != nullptr; }},
      {"number",
       [](const Value& v, Arguments&) {
         Number number;
         return as_number(v, number);
       }},
      {"mapping", [](const Value& v, Arguments&) { return v.dict() != nullptr; }},
      {"sequence", [](const Value& v, Arguments&) { return is_iterable(v); }},
      {"iterable", [](const Value& v, Arguments&) { return is_iterable(v); }},
      {"callable", [](const Value& v, Arguments&) { return v.callable() != nullptr; }},
      {"odd", [](const Value& v, Arguments& a) { return whole(v, a) % 2 != 0; }},
      {"even", [](const Value& v, Arguments& a) { return whole(v, a) % 2 == 0; }},
      {"divisibleby", divisible},
      {"lower",
       [](const Value& v, Arguments& a) {
         const std::string text = to_text(a.runtime(), v);
         return lower(text) == text && upper(text) != text;
       }},
      {"upper",
       [](const Value& v, Arguments& a) {
         const std::string text = to_text(a.runtime(), v);
         return upper(text) == text && lower(text) != text;
       }},
      {"sameas", same},
      {"filter", [](const Value& v, Arguments&) { return v.string() != nullptr && is_filter(*v.string()); }},
      {"test", [](const Value& v, Arguments&) { return v.string() != nullptr && is_test(*v.string()); }},
      {"in", compared<in>},
      {"==", compared<eq>},
      {"eq", compared<eq>},
      {"equalto", compared<eq>},
      {"!=", compared<ne>},
      {"ne", compared<ne>},
      {"<", compared<lt>},
      {"lt", compared<lt>},
      {"lessthan", compared<lt>},
      {"<=", compared<le>},
      {"le", compared<le>},
      {">", compared<gt>},
      {"gt", compared<gt>},
      {"greaterthan", compared<gt>},
      {">=", compared<ge>},
      {"ge", compared<ge>}};
  return all;
}

const Test* find_test(std::string_view name) {
  for (const auto& test : tests()) {
    if (test.name == name) return &test;
  }
  return nullptr;
}

}  // namespace

bool is_test(std::string_view name) {
  return find_test(name) != nullptr;
}

bool call_test(std::string_view name, const Value& subject, Arguments& arguments) {
  const Test* const test = find_test(name);
  if (test == nullptr) arguments.runtime().fail("the test " + in_quotes(name) + " is not supported");
  const bool passed = test->call(subject, arguments);
  arguments.finish();
  return passed;
}

}  // namespace engines::jinja
