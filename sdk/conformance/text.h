// SPDX-License-Identifier: Apache-2.0
// Looks at the texts and lists that a plugin hands over.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "roundhouse/base.h"

namespace conformance {

// Well-formed UTF-8: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool is_utf8(std::string_view text);

// Not NULL, not empty, well-formed UTF-8.
bool is_text(const char* text);

// [a-z0-9][a-z0-9._-]{0,62}
bool is_engine_id(std::string_view id);

// The pairs of a list; empty when the list is NULL or malformed.
std::vector<std::pair<std::string, std::string>> facts_of(const rh_facts* list);

// Why the list is malformed, or "".
std::string problem_of(const rh_facts* list);

}  // namespace conformance
