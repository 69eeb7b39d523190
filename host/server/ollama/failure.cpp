// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/failure.h"

#include "host/text/json_text.h"
#include "roundhouse/status.hpp"

namespace roundhouse::host::ollama {
namespace {

// "model 'x' was not found among: ..." as "model \"x\" not found, ...".
std::string sentence(const Error& error) {
  const std::string text = error.what();
  constexpr std::string_view kBegin = "model '", kMiddle = "' was not found";
  const std::size_t at = text.find(kMiddle);
  if (error.code() == RH_QUEUE_FULL)
    return "server busy, please try again: maximum pending requests exceeded";
  if (error.code() != RH_MODEL_NOT_FOUND || !text.starts_with(kBegin) || at == std::string::npos) return text;
  return "model \"" + text.substr(kBegin.size(), at - kBegin.size()) + "\" not found" +
         text.substr(at + kMiddle.size());
}

}  // namespace

std::string failure_json(const Error& error) {
  nlohmann::ordered_json json;
  json["error"] = sentence(error);
  json["code"] = status_name(error.code());
  json["hint"] = error.hint();
  return json_text(json);
}

}  // namespace roundhouse::host::ollama
