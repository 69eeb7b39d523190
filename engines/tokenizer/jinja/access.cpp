// SPDX-License-Identifier: Apache-2.0
// Members, elements and slices of values.
#include <fmt/format.h>

#include <algorithm>

#include "engines/tokenizer/jinja/methods.h"
#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/unicode.h"
#include "engines/weights/json_file.h"

namespace engines::jinja {
namespace {

[[noreturn]] void fail_undefined(const Runtime& runtime, const Value& value, const std::string& what) {
  runtime.fail(in_quotes(value.undefined()->name) + " is undefined, so it has no " + what);
}

std::vector<std::string_view> characters(Runtime& runtime, std::string_view text) {
  runtime.charge(text.size() / 4);
  std::vector<std::string_view> all;
  while (!text.empty()) {
    const auto bytes = std::max<std::size_t>(unicode::decode_first(text).bytes, 1);
    all.push_back(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return all;
}

Value bound_method(const Value& object, std::string_view name) {
  return std::make_shared<const Callable>(Callable{std::string(name), nullptr, object});
}

// The index of an element, counted from the end when negative; -1 when there is none.
std::int64_t resolve_index(std::int64_t index, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  if (index < 0) index += count;
  return index >= 0 && index < count ? index : -1;
}

// Where a slice begins, ends, and how it goes on, as Python's slice.indices computes it.
struct Range {
  std::int64_t start;
  std::int64_t stop;
  std::int64_t step;
};

std::int64_t part_of_slice(Runtime& runtime, const Value& value, std::int64_t fallback) {
  if (value.is_none()) return fallback;
  Number number;
  if (!as_number(value, number) || number.real)
    runtime.fail("a slice has a part that is " + value.type_name() + ", expected int");
  return number.integer;
}

Range slice_range(Runtime& runtime, std::int64_t size, const Value& start, const Value& stop,
                  const Value& step) {
  Range range{};
  range.step = part_of_slice(runtime, step, 1);
  if (range.step == 0) runtime.fail("a slice has the step 0");
  range.step = std::clamp(range.step, -size - 1, size + 1);
  const bool back = range.step < 0;
  const std::int64_t low = back ? -1 : 0;
  const std::int64_t high = back ? size - 1 : size;
  const auto bound = [&](const Value& value, std::int64_t fallback) {
    if (value.is_none()) return fallback;
    std::int64_t at = std::clamp(part_of_slice(runtime, value, 0), -size - 1, size + 1);
    if (at < 0) at += size;
    return std::clamp(at, low, high);
  };
  range.start = bound(start, back ? high : low);
  range.stop = bound(stop, back ? low : high);
  return range;
}

template <class Take>
void walk(const Range& range, Take take) {
  for (std::int64_t i = range.start; range.step > 0 ? i < range.stop : i > range.stop; i += range.step)
    take(static_cast<std::size_t>(i));
}

Value element(Runtime& runtime, const Value& object, std::int64_t index) {
  if (const auto* const list = object.list()) {
    const auto at = resolve_index(index, list->items.size());
    if (at >= 0) return list->items[static_cast<std::size_t>(at)];
  } else if (const auto* const text = object.string()) {
    const auto all = characters(runtime, *text);
    const auto at = resolve_index(index, all.size());
    if (at >= 0) return runtime.text(std::string(all[static_cast<std::size_t>(at)]));
  }
  return Undefined{fmt::format("{}[{}]", object.type_name(), index)};
}

}  // namespace

std::vector<Value> elements(Runtime& runtime, const Value& value) {
  std::vector<Value> all;
  if (const auto* const list = value.list()) {
    runtime.charge(list->items.size() / 4);
    all = list->items;
  } else if (const auto* const text = value.string()) {
    for (const auto character : characters(runtime, *text))
      all.emplace_back(std::string(character));
  } else if (const auto* const dict = value.dict()) {
    runtime.charge(dict->members.size() / 4);
    for (const auto& [key, member] : dict->members)
      all.emplace_back(key);
  } else if (!value.is_undefined()) {
    runtime.fail("a value that is " + value.type_name() + " cannot be iterated over");
  }
  return all;
}

Value attribute(Runtime& runtime, const Value& object, std::string_view name) {
  if (object.is_undefined()) fail_undefined(runtime, object, "attribute " + in_quotes(name));
  if (is_method(object, name)) return bound_method(object, name);
  if (const auto* const members = object.object()) {
    runtime.charge(members->members.size() / 16);
    if (const auto* const found = members->find(name)) return *found;
  }
  return Undefined{std::string(name)};
}

Value subscript(Runtime& runtime, const Value& object, const Value& index) {
  if (object.is_undefined()) fail_undefined(runtime, object, "elements");
  if (const auto* const name = index.string()) {
    if (const auto* const members = object.object()) {
      runtime.charge(members->members.size() / 16);
      if (const auto* const found = members->find(*name)) return *found;
    }
    if (is_method(object, *name)) return bound_method(object, *name);
    return Undefined{*name};
  }
  Number number;
  if (as_number(index, number) && !number.real) return element(runtime, object, number.integer);
  return Undefined{object.type_name() + "[" + index.type_name() + "]"};
}

Value slice(Runtime& runtime, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is_undefined()) fail_undefined(runtime, object, "elements");
  if (const auto* const list = object.list()) {
    runtime.charge(list->items.size() / 4);
    std::vector<Value> items;
    walk(slice_range(runtime, static_cast<std::int64_t>(list->items.size()), start, stop, step),
         [&](std::size_t i) { items.push_back(list->items[i]); });
    return runtime.list(std::move(items), list->tuple);
  }
  if (const auto* const text = object.string()) {
    const auto all = characters(runtime, *text);
    std::string part;
    walk(slice_range(runtime, static_cast<std::int64_t>(all.size()), start, stop, step),
         [&](std::size_t i) { part += all[i]; });
    return runtime.text(std::move(part));
  }
  runtime.fail("a value that is " + object.type_name() + " has no slices");
}

}  // namespace engines::jinja
