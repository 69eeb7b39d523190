// SPDX-License-Identifier: Apache-2.0
// The one exception of the mathematics: a code of the error taxonomy and a sentence.
#pragma once

#include <stdexcept>
#include <string>

#include "roundhouse/status.h"

namespace engines {

// Thrown for bad input and bad files, never for our own mistakes (those are assertions). The message is lower
// case and names the thing, the value and the expectation, most specific first.
class Error : public std::runtime_error {
 public:
  Error(rh_status code, const std::string& message) : std::runtime_error(message), code_(code) {}
  rh_status code() const { return code_; }

 private:
  rh_status code_;
};

}  // namespace engines
