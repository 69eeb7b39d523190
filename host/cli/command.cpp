// SPDX-License-Identifier: Apache-2.0
#include "host/cli/command.h"

#include <nlohmann/json.hpp>

namespace roundhouse::host {

Command::~Command() = default;

OrderedJson Command::partial() const {
  return OrderedJson::object();
}

std::string Command::loggable(const std::string& message) const {
  return message;
}

void Command::declare_json(FlagTable& command) {
  command.group = "";
  command.add("--json", "Print one JSON object on standard output", &json_);
}

}  // namespace roundhouse::host
