// SPDX-License-Identifier: Apache-2.0
// The description of all routes for tools: each dialect has its part in a file openapi.json in its folder,
// which becomes part of the program.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace roundhouse::host {

// The files as text, in the order of their folders. Made by the build (openapi_parts.cpp.in).
const std::vector<std::string>& openapi_parts();

// All parts as one document of OpenAPI 3.1. Throws INTERNAL where two parts say different things under one
// name.
nlohmann::ordered_json openapi_document(const std::string& version);

}  // namespace roundhouse::host
