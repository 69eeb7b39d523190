// SPDX-License-Identifier: Apache-2.0
// Filters that go through the elements of a list, a text or a dict.
#include <algorithm>
#include <charconv>

#include "engines/tokenizer/jinja/filters.h"
#include "engines/tokenizer/jinja/methods.h"
#include "engines/tokenizer/jinja/operators.h"
#include "engines/tokenizer/jinja/text_forms.h"
#include "engines/tokenizer/jinja/text_operations.h"

namespace engines::jinja {
namespace {

std::vector<Value> elements_of(const Value& subject, const Arguments& arguments) {
  return elements(arguments.runtime(), subject);
}

Value length(const Value& subject, Arguments& arguments) {
  if (subject.is_none() || (subject.list() == nullptr && subject.string() == nullptr &&
                            subject.dict() == nullptr && !subject.is_undefined()))
    arguments.fail("a value that is " + subject.type_name() + " has no length");
  if (subject.list() != nullptr) return static_cast<std::int64_t>(subject.list()->items.size());
  if (subject.dict() != nullptr) return static_cast<std::int64_t>(subject.dict()->members.size());
  return static_cast<std::int64_t>(elements_of(subject, arguments).size());
}

// "a.b.0" from a value: members and indices.
Value at_path(Runtime& runtime, Value value, std::string_view path) {
  while (true) {
    const auto dot = path.find('.');
    const std::string_view part = path.substr(0, dot);
    std::int64_t index = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool is_index = error == std::errc() && end == part.data() + part.size();
    value = subscript(runtime, value, is_index ? Value(index) : Value(std::string(part)));
    if (dot == std::string_view::npos) return value;
    path.remove_prefix(dot + 1);
  }
}

// The value that an element counts as: itself, or one of its attributes.
class Key {
 public:
  Key(Runtime& runtime, const Value& attribute, bool case_sensitive)
      : runtime_(runtime), attribute_(attribute), case_sensitive_(case_sensitive) {}

  Value of(const Value& element) const {
    Number index;
    Value value = element;
    if (attribute_.string() != nullptr)
      value = at_path(runtime_, element, *attribute_.string());
    else if (as_number(attribute_, index))
      value = subscript(runtime_, element, attribute_);
    if (!case_sensitive_ && value.string() != nullptr) return runtime_.text(lower(*value.string()));
    return value;
  }

 private:
  Runtime& runtime_;
  const Value& attribute_;
  bool case_sensitive_;
};

Value join(const Value& subject, Arguments& arguments) {
  const std::string separator = to_text(arguments.runtime(), arguments.take("d", Value(std::string())));
  const Value attribute = arguments.take("attribute", Value(None{}));
  const Key key(arguments.runtime(), attribute, true);
  std::string out;
  bool first = true;
  for (const auto& element : elements_of(subject, arguments)) {
    if (!std::exchange(first, false)) out += separator;
    out += to_text(arguments.runtime(), key.of(element));
    if (out.size() > longest_text) break;  // refused below
  }
  return arguments.runtime().text(std::move(out));
}

Value list(const Value& subject, Arguments& arguments) {
  return arguments.runtime().list(elements_of(subject, arguments));
}

Value first(const Value& subject, Arguments& arguments) {
  const auto all = elements_of(subject, arguments);
  return all.empty() ? Value(Undefined{"the first element of nothing"}) : all.front();
}
Value last(const Value& subject, Arguments& arguments) {
  const auto all = elements_of(subject, arguments);
  return all.empty() ? Value(Undefined{"the last element of nothing"}) : all.back();
}

Value reverse(const Value& subject, Arguments& arguments) {
  auto all = elements_of(subject, arguments);
  std::reverse(all.begin(), all.end());
  if (subject.string() == nullptr) return arguments.runtime().list(std::move(all));
  std::string text;
  for (const auto& character : all)
    text += *character.string();
  return arguments.runtime().text(std::move(text));
}

Value items(const Value& subject, Arguments& arguments) {
  if (subject.is_undefined()) return arguments.runtime().list({});
  if (subject.dict() == nullptr) arguments.fail("the value is " + subject.type_name() + ", expected dict");
  return items_of(arguments.runtime(), *subject.dict());
}

struct Keyed {
  Value key;
  Value element;
};

// Elements in the order of their keys, equal ones in their own order.
Value sorted(std::vector<Keyed> all, bool descending, const Arguments& arguments) {
  Runtime& runtime = arguments.runtime();
  std::stable_sort(all.begin(), all.end(), [&](const Keyed& a, const Keyed& b) {
    runtime.charge(1);
    return descending ? less(runtime, b.key, a.key) : less(runtime, a.key, b.key);
  });
  std::vector<Value> elements;
  for (auto& keyed : all)
    elements.push_back(std::move(keyed.element));
  return runtime.list(std::move(elements));
}

Value sort(const Value& subject, Arguments& arguments) {
  const bool descending = arguments.take_flag("reverse", false);
  const bool case_sensitive = arguments.take_flag("case_sensitive", false);
  const Value attribute = arguments.take("attribute", Value(None{}));
  const Key key(arguments.runtime(), attribute, case_sensitive);
  std::vector<Keyed> all;
  for (const auto& element : elements_of(subject, arguments))
    all.push_back({key.of(element), element});
  return sorted(std::move(all), descending, arguments);
}

Value dictsort(const Value& subject, Arguments& arguments) {
  const bool case_sensitive = arguments.take_flag("case_sensitive", false);
  const std::string by = arguments.take_text("by", "key");
  const bool descending = arguments.take_flag("reverse", false);
  if (by != "key" && by != "value") arguments.fail("'by' is neither 'key' nor 'value'");
  const Value position(by == "key" ? 0 : 1);
  const Key key(arguments.runtime(), position, case_sensitive);
  std::vector<Keyed> all;
  const Value pairs = items(subject, arguments);
  for (const auto& item : pairs.list()->items)
    all.push_back({key.of(item), item});
  return sorted(std::move(all), descending, arguments);
}

Value unique(const Value& subject, Arguments& arguments) {
  const bool case_sensitive = arguments.take_flag("case_sensitive", false);
  const Value attribute = arguments.take("attribute", Value(None{}));
  Runtime& runtime = arguments.runtime();
  const Key key(runtime, attribute, case_sensitive);
  std::vector<Value> seen;
  std::vector<Value> kept;
  for (const auto& element : elements_of(subject, arguments)) {
    const Value value = key.of(element);
    runtime.charge(seen.size() / 8);
    const bool known = std::any_of(seen.begin(), seen.end(),
                                   [&](const Value& other) { return compare(runtime, "==", value, other); });
    if (known) continue;
    seen.push_back(value);
    kept.push_back(element);
  }
  return runtime.list(std::move(kept));
}

Value extreme(const Value& subject, Arguments& arguments, bool greatest) {
  const bool case_sensitive = arguments.take_flag("case_sensitive", false);
  const Value attribute = arguments.take("attribute", Value(None{}));
  Runtime& runtime = arguments.runtime();
  const Key key(runtime, attribute, case_sensitive);
  const auto all = elements_of(subject, arguments);
  if (all.empty()) return Undefined{"the extreme of nothing"};
  const Value* best = &all.front();
  for (const auto& element : all) {
    const bool better = greatest ? less(runtime, key.of(*best), key.of(element))
                                 : less(runtime, key.of(element), key.of(*best));
    if (better) best = &element;
  }
  return *best;
}
Value min(const Value& subject, Arguments& arguments) {
  return extreme(subject, arguments, false);
}
Value max(const Value& subject, Arguments& arguments) {
  return extreme(subject, arguments, true);
}

Value sum(const Value& subject, Arguments& arguments) {
  const Value attribute = arguments.take("attribute", Value(None{}));
  Value total = arguments.take("start", Value(0));
  const Key key(arguments.runtime(), attribute, true);
  for (const auto& element : elements_of(subject, arguments))
    total = binary(arguments.runtime(), "+", total, key.of(element));
  return total;
}

// map(attribute='name', default=...) or map('filter', arguments...).
Value map(const Value& subject, Arguments& arguments) {
  Runtime& runtime = arguments.runtime();
  std::vector<Value> mapped;
  const auto all = elements_of(subject, arguments);
  if (!arguments.has_positional()) {
    const Value attribute = arguments.take("attribute");
    const auto fallback = arguments.take_named("default");
    const Key key(runtime, attribute, true);
    for (const auto& element : all) {
      Value value = key.of(element);
      if (fallback && value.is_undefined()) value = *fallback;
      mapped.push_back(std::move(value));
    }
    return runtime.list(std::move(mapped));
  }
  const std::string filter = arguments.take_text("filter");
  const auto positional = arguments.rest_positional();
  const auto named = arguments.rest_named();
  for (const auto& element : all) {
    runtime.charge(1);
    Arguments each(runtime, filter, positional, named);
    mapped.push_back(call_filter(filter, element, each));
  }
  return runtime.list(std::move(mapped));
}

// The elements that pass a test (or are true, without one), themselves or by an attribute.
Value chosen(const Value& subject, Arguments& arguments, bool by_attribute, bool wanted) {
  Runtime& runtime = arguments.runtime();
  const Value attribute = by_attribute ? arguments.take("attribute") : Value(None{});
  const Key key(runtime, attribute, true);
  const bool tested = arguments.has_positional();
  const std::string test = tested ? arguments.take_text("test") : "";
  const auto positional = arguments.rest_positional();
  std::vector<Value> kept;
  for (const auto& element : elements_of(subject, arguments)) {
    runtime.charge(1);
    const Value value = key.of(element);
    Arguments each(runtime, test, positional, {});
    if ((tested ? call_test(test, value, each) : value.truthy()) == wanted) kept.push_back(element);
  }
  return runtime.list(std::move(kept));
}
Value select(const Value& subject, Arguments& arguments) {
  return chosen(subject, arguments, false, true);
}
Value reject(const Value& subject, Arguments& arguments) {
  return chosen(subject, arguments, false, false);
}
Value selectattr(const Value& subject, Arguments& arguments) {
  return chosen(subject, arguments, true, true);
}
Value rejectattr(const Value& subject, Arguments& arguments) {
  return chosen(subject, arguments, true, false);
}

}  // namespace

const std::vector<Filter>& sequence_filters() {
  static const std::vector<Filter> filters{{"length", length},
                                           {"count", length},
                                           {"join", join},
                                           {"list", list},
                                           {"first", first},
                                           {"last", last},
                                           {"reverse", reverse},
                                           {"items", items},
                                           {"sort", sort},
                                           {"dictsort", dictsort},
                                           {"unique", unique},
                                           {"min", min},
                                           {"max", max},
                                           {"sum", sum},
                                           {"map", map},
                                           {"select", select},
                                           {"reject", reject},
                                           {"selectattr", selectattr},
                                           {"rejectattr", rejectattr}};
  return filters;
}

}  // namespace engines::jinja
