// SPDX-License-Identifier: Apache-2.0
// How results and errors leave the program.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "host/log/error_json.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

using OrderedJson = nlohmann::ordered_json;

// The object {"error": ...} with the members of `more`, as it is printed.
std::string error_text(const Error& error, int exit_status, const OrderedJson& more = OrderedJson::object());

// One line "error: CODE: message" and one "hint: ..." on standard error; with `json` also error_text on
// standard output. Returns the exit status: the code's, or the
// signal's that cancelled the run.
int report_error(const Error& error, bool json);
int report_error(const Error& error, bool json, const OrderedJson& more);

// Prints terminal_text on standard output. Throws IO_ERROR when it cannot be written (a full disk).
void print(const std::string& text);
void print_json(const OrderedJson& json);

}  // namespace roundhouse::host
