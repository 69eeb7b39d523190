// SPDX-License-Identifier: Apache-2.0
#include "host/cli/flags.h"

#include <utility>

namespace roundhouse::host {

FlagTable::FlagTable(std::string command, std::string about)
    : name(std::move(command)), description(std::move(about)) {
}

Flag& FlagTable::add(std::string names, std::string type, std::string help, Flag::Target target) {
  return flags.emplace_back(
      Flag{std::move(names), std::move(type), std::move(help), target, false, {}, group});
}

Flag& FlagTable::add(std::string names, std::string help, bool* target) {
  return add(std::move(names), "", std::move(help), target);
}

}  // namespace roundhouse::host
