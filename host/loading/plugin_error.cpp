// SPDX-License-Identifier: Apache-2.0
// The wording of errors between host and plugin.
#include "host/loading/plugin_error.h"

#include <fmt/format.h>

#include "host/loading/text.h"

namespace roundhouse::host {

namespace {

std::string sentence(const std::string& engine, const char* rule, const std::string& text) {
  constexpr std::size_t longest = 2000;
  return "engine '" + engine + "': " + cleaned_text(text.c_str(), longest) + " (rule " + rule + ")";
}

// What no engine can know: the state of the host, of its queue, of other workers and of sources.
bool is_of_host_only(rh_status status) {
  switch (status) {
    case RH_INTERNAL:
    case RH_QUEUE_FULL:
    case RH_ENGINE_NOT_FOUND:
    case RH_ENGINE_CRASHED:
    case RH_AUTH_REQUIRED:
    case RH_SOURCE_UNREACHABLE:
    case RH_SOURCE_REJECTED:
      return true;
    default:
      return false;
  }
}

}  // namespace

Error broken(const std::string& engine, const char* rule, const std::string& text) {
  return Error(RH_ENGINE_BROKEN, sentence(engine, rule, text));
}

Error incompatible(const std::string& engine, const char* rule, const std::string& text) {
  return Error(RH_ENGINE_INCOMPATIBLE, sentence(engine, rule, text));
}

void ErrorRecord::check(const std::string& engine, const std::string& call, rh_status status) const {
  if (status == RH_OK) return;
  // The plugin may have filled the record to the brim, without a NUL.
  const std::string message = cleaned_text(record_.message, sizeof record_.message);
  const std::string begin = "engine '" + engine + "': " + call;
  const std::string end = std::string(" (rule ") + rule::kErrors + ")";
  if (!is_known(status)) {
    throw Error(RH_ENGINE_INTERNAL,
                fmt::format("{} returned status {}, which is in no catalogue, {}{}", begin, status,
                            (message.empty() ? "without a message" : "saying: " + message), end));
  }
  if (is_of_host_only(status)) {
    throw Error(RH_ENGINE_INTERNAL, begin + " returned " + std::string(status_name(status)) +
                                        ", which is for the host to say" +
                                        (message.empty() ? "" : ": " + message) + end);
  }
  if (message.empty()) {
    throw Error(status,
                begin + " failed with " + std::string(status_name(status)) + " without a message" + end);
  }
  throw Error(status, message);
}

}  // namespace roundhouse::host
