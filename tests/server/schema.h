// SPDX-License-Identifier: Apache-2.0
// The part of JSON Schema that our OpenAPI document uses.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace roundhouse::test {

// What is wrong with `value`, or empty. Knows $ref, type, const, enum, required, properties, items, minimum
// and maximum; `where` begins the message.
std::string schema_problem(const nlohmann::json& document, const nlohmann::json& schema,
                           const nlohmann::json& value, const std::string& where = "answer");

}  // namespace roundhouse::test
