// SPDX-License-Identifier: Apache-2.0
// How deep JSON nests, asked before it is parsed: what is built of it is written and destroyed by recursion.
#pragma once

#include <string_view>

namespace roundhouse::host {

// Whether its brackets, those within strings left out, nest deeper than `most`.
inline bool nests_deeper(std::string_view json, int most) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > most) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace roundhouse::host
