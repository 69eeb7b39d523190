// SPDX-License-Identifier: Apache-2.0
// Lists in messages: "reference, openblas, onednn".
#pragma once

#include <functional>
#include <ranges>
#include <string>
#include <string_view>

namespace roundhouse::host {

// The texts of a range with `separator` between them. `projection` makes a text of an element: a member such
// as &Engine::id, or a function.
template <std::ranges::input_range Range, class Projection = std::identity>
std::string joined(Range&& range, std::string_view separator = ", ", Projection projection = {}) {
  std::string text;
  bool first = true;
  for (auto&& element : range) {
    if (!first) text += separator;
    text += std::invoke(projection, element);
    first = false;
  }
  return text;
}

}  // namespace roundhouse::host
