// SPDX-License-Identifier: Apache-2.0
// Messages to JSON and back.
#include "host/worker/protocol.h"

#include "host/worker/message_json.h"

namespace roundhouse::host {

using Json = nlohmann::json;

std::string encode(const LogMessage& message) {
  return message_text(
      {{"level", message.level}, {"category", message.category}, {"message", message.message}});
}

template <>
LogMessage decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return LogMessage{member<std::uint32_t>(json, "level"), member<std::string>(json, "category"),
                      member<std::string>(json, "message")};
  });
}

std::string encode(const ProgressEvent& event) {
  return message_text({{"stage", event.stage},
                       {"step", event.step},
                       {"steps", event.steps},
                       {"milliseconds", event.milliseconds},
                       {"fraction", event.fraction}});
}

template <>
ProgressEvent decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    return ProgressEvent{member<std::string>(json, "stage"), member<std::uint32_t>(json, "step"),
                         member<std::uint32_t>(json, "steps"), member<double>(json, "milliseconds"),
                         member<double>(json, "fraction")};
  });
}

std::string encode(const Error& error) {
  const bool own_hint = error.hint() != hint(error.code());
  return message_text({{"code", error.code()},
                       {"message", error.what()},
                       {"hint", own_hint ? std::string(error.hint()) : std::string()}});
}

template <>
Error decode(const std::string& text) {
  return read_message(text, [](const Json& json) {
    const auto code = member<rh_status>(json, "code");
    return Error(code != RH_OK && is_known(code) ? code : RH_ENGINE_INTERNAL,
                 member<std::string>(json, "message"), member<std::string>(json, "hint"));
  });
}

}  // namespace roundhouse::host
