// SPDX-License-Identifier: Apache-2.0
#include "host/server/anthropic/failure.h"

#include "host/text/json_text.h"

namespace roundhouse::host::anthropic {
namespace {

const char* type_of(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

}  // namespace

std::string failure_json(const http::Request& request, const Error& error, int status) {
  nlohmann::ordered_json json{{"type", "error"}};
  json["error"] = {{"type", type_of(status)},
                   {"message", error.what()},
                   {"code", status_name(error.code())},
                   {"hint", error.hint()}};
  json["request_id"] = request.request_id;
  return json_text(json);
}

}  // namespace roundhouse::host::anthropic
