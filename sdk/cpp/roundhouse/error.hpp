// SPDX-License-Identifier: Apache-2.0
// The exception that carries a status code: thrown inside a plugin or the host, never across the C ABI.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "roundhouse/status.hpp"

namespace roundhouse {

// `message` is lower case and names the thing, the value and the expectation. `hint` replaces the
// catalogue's where the thrower knows better what to do.
class Error : public std::runtime_error {
 public:
  Error(rh_status code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  rh_status code() const noexcept { return code_; }

  // UTF-8; lives as long as the error.
  std::string_view hint() const noexcept {
    return hint_.empty() ? roundhouse::hint(code_) : std::string_view(hint_);
  }

 private:
  rh_status code_;
  std::string hint_;
};

}  // namespace roundhouse
