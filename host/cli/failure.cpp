// SPDX-License-Identifier: Apache-2.0
// From errors to the log.
#include "host/cli/failure.h"

#include <nlohmann/json.hpp>

#include "roundhouse/ext/log.h"

namespace roundhouse::host {

namespace {

// Hubs, registries and web servers have a family of codes of their own.
const char* category_of(rh_status code) {
  switch (code) {
    case RH_AUTH_REQUIRED:
    case RH_SOURCE_UNREACHABLE:
    case RH_SOURCE_REJECTED:
      return "source";
    default:
      return "pipeline";
  }
}

}  // namespace

void log_failure(const Program& program, rh_status code, const std::string& message) {
  if (!program.options.log_file) return;
  try {
    program.log()->write(RH_LOG_ERROR, category_of(code), message,
                         {{"code", std::string(status_name(code))}});
  } catch (const std::exception&) {
    return;  // a log that cannot be written changes no result
  }
}

}  // namespace roundhouse::host
