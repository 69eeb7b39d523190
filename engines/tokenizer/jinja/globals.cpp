// SPDX-License-Identifier: Apache-2.0
// Jinja's own functions, and those that transformers adds for chat templates.
#include "engines/tokenizer/jinja/globals.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ctime>

#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/jinja/text_forms.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

constexpr std::int64_t longest_range = 100'000;  // as in Jinja's sandbox

Value range(Arguments& arguments) {
  std::int64_t start = 0;
  std::int64_t stop = 0;
  if (!arguments.has_positional()) arguments.fail("the argument 'stop' is missing");
  stop = arguments.take_integer("stop", 0);
  if (arguments.has_positional()) {
    start = stop;
    stop = arguments.take_integer("stop", 0);
  }
  const std::int64_t step = arguments.take_integer("step", 1);
  if (step == 0) arguments.fail("the step is 0");
  std::vector<Value> numbers;
  for (std::int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (numbers.size() >= static_cast<std::size_t>(longest_range))
      arguments.fail(fmt::format("has more than {} numbers", longest_range));
    numbers.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  return arguments.runtime().list(std::move(numbers));
}

// dict(a=1), dict(other, a=1).
std::vector<std::pair<std::string, Value>> members(Arguments& arguments) {
  std::vector<std::pair<std::string, Value>> all;
  if (const Value other = arguments.has_positional() ? arguments.take("mapping") : Value();
      !other.is_undefined()) {
    if (other.dict() == nullptr) arguments.fail("the argument is " + other.type_name() + ", expected dict");
    arguments.runtime().charge(other.dict()->members.size());
    all = other.dict()->members;
  }
  for (auto& named : arguments.rest_named())
    all.push_back(std::move(named));
  return all;
}

Value dict(Arguments& arguments) {
  return arguments.runtime().dict(members(arguments));
}

Value name_space(Arguments& arguments) {
  return arguments.runtime().name_space(members(arguments));
}

Value raise_exception(Arguments& arguments) {
  const std::string message = to_text(arguments.runtime(), arguments.take("message"));
  arguments.runtime().fail("the template refuses: " + in_quotes(message));
}

Value strftime_now(Arguments& arguments) {
  const std::string format = arguments.take_text("format");
  if (format.empty()) return std::string();
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, 512> buffer{};
  const auto length = std::strftime(buffer.data(), buffer.size(), format.c_str(), &local);
  if (length == 0) arguments.fail("the format " + in_quotes(format) + " gives no text, or too much");
  return arguments.runtime().text(std::string(buffer.data(), length));
}

struct Global {
  std::string_view name;
  Value (*call)(Arguments& arguments);
};
constexpr std::array<Global, 5> globals{{{"range", range},
                                         {"dict", dict},
                                         {"namespace", name_space},
                                         {"raise_exception", raise_exception},
                                         {"strftime_now", strftime_now}}};

const Global* find(std::string_view name) {
  const auto* const found =
      std::find_if(globals.begin(), globals.end(), [&](const Global& global) { return global.name == name; });
  return found == globals.end() ? nullptr : found;
}

}  // namespace

Value find_global(std::string_view name) {
  if (find(name) == nullptr) return Undefined{std::string(name)};
  return std::make_shared<const Callable>(Callable{std::string(name), nullptr, Value()});
}

Value call_global(std::string_view name, Arguments& arguments) {
  Value result = find(name)->call(arguments);
  arguments.finish();
  return result;
}

}  // namespace engines::jinja
