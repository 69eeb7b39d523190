// SPDX-License-Identifier: Apache-2.0
#include "host/server/openai/failure.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/server/http/http_error.h"
#include "host/text/json_text.h"
#include "host/text/letters.h"

namespace roundhouse::host::openai {
namespace {

using nlohmann::ordered_json;

const char* type_of(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  if (status == 404) return "not_found_error";
  if (status == 429) return "rate_limit_error";
  // 499: the request was ended from outside, and is none that was wrong.
  return status >= 499 ? "server_error" : "invalid_request_error";
}

// The field of OpenAI's that a message begins with ("n: 11 is out of range"); empty for messages about other
// things.
std::string param_of(const std::string& message) {
  std::string field = message.substr(0, message.find(": "));
  if (field.size() == message.size() || field.size() > 64) return "";
  if (field == "width" || field == "height" || field == "aspect") return "size";
  if (field == "num-images") return "n";
  std::replace(field.begin(), field.end(), ' ', '_');
  const bool is_field = std::all_of(field.begin(), field.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || c == '_' || c == '.' || c == '[' || c == ']' || (c >= '0' && c <= '9');
  });
  return is_field && field != "body" ? field : "";
}

std::string param_of(const Error& error) {
  switch (error.code()) {
    case RH_MODEL_NOT_FOUND:
    case RH_WEIGHTS_MISSING:
      return "model";
    case RH_ENGINE_NOT_FOUND:
      return "engine";
    default:
      return param_of(error.what());
  }
}

// Whether the same request, some seconds later, might do better.
bool may_pass(rh_status code) {
  switch (code) {
    case RH_QUEUE_FULL:
    case RH_ENGINE_CRASHED:
    case RH_TIMEOUT:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::string failure_json(const http::Request& /*request*/, const Error& error, int status) {
  const std::string name(status_name(error.code()));
  const std::string param = param_of(error);
  ordered_json json;
  json["message"] = error.what();
  json["type"] = type_of(status);
  json["param"] = param.empty() ? ordered_json() : ordered_json(param);
  json["code"] = status == 401 ? "invalid_api_key" : lowered(name);
  json["error_code"] = name;
  json["hint"] = error.hint();
  return json_text(ordered_json{{"error", json}});
}

http::Handler with_retry_advice(http::Handler handler) {
  return [handler = std::move(handler)](http::Exchange& exchange) {
    try {
      handler(exchange);
    } catch (const http::HttpError&) {
      throw;
    } catch (const Error& error) {
      if (may_pass(error.code())) throw;
      throw http::HttpError(http::status_of(error), error.code(), error.what(), std::string(error.hint()),
                            {{"X-Should-Retry", "false"}});
    }
  };
}

}  // namespace roundhouse::host::openai
