// SPDX-License-Identifier: Apache-2.0
// How an engine is named in messages.
#include "host/worker/engine_error.h"

namespace roundhouse::host {

std::string engine_called(const std::string& id) {
  return "engine '" + id + "'";
}

Error named_error(const std::string& id, const Error& error) {
  const std::string message = error.what();
  if (message.find(engine_called(id)) != std::string::npos) return error;
  const bool own_hint = error.hint() != hint(error.code());
  return Error(error.code(), engine_called(id) + ": " + message,
               own_hint ? std::string(error.hint()) : std::string());
}

}  // namespace roundhouse::host
