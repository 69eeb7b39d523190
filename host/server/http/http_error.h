// SPDX-License-Identifier: Apache-2.0
// What only HTTP can say: a status that is not the error code's own, and the fields that belong to it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "roundhouse/error.hpp"

namespace roundhouse::host::http {

class HttpError : public Error {
 public:
  using Fields = std::vector<std::pair<std::string, std::string>>;
  HttpError(int status, rh_status code, const std::string& message, std::string hint = {}, Fields fields = {})
      : Error(code, message, std::move(hint)), status_(status), fields_(std::move(fields)) {}

  int status() const noexcept { return status_; }
  const Fields& fields() const noexcept { return fields_; }

 private:
  int status_;
  Fields fields_;
};

// The status of an HttpError, else the one that the taxonomy gives the code.
int status_of(const Error& error);

}  // namespace roundhouse::host::http
