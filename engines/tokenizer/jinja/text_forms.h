// SPDX-License-Identifier: Apache-2.0
// Values as text: Python's str() and repr(), and JSON as json.dumps writes it.
#pragma once

#include <string>
#include <string_view>

#include "engines/tokenizer/jinja/runtime.h"
#include "engines/tokenizer/jinja/value.h"

namespace engines::jinja {

// As str(): "True", "1.0", "['a', 1]"; of an undefined value "".
std::string to_text(Runtime& runtime, const Value& value);

// As repr(): the same, but strings quoted.
std::string to_repr(Runtime& runtime, const Value& value);

// The shortest text that reads back as the same number: "1.0", "1e-05", "inf".
std::string float_text(double value);

struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::string indent;  // per level
  bool lines = false;  // one line per element: json.dumps with any indent but None
  std::string item_separator = ", ";
  std::string key_separator = ": ";
};
std::string to_json(Runtime& runtime, const Value& value, const JsonStyle& style);

}  // namespace engines::jinja
