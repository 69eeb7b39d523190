// SPDX-License-Identifier: Apache-2.0
// `roundhouse version`: of the program and of the plugin interface that it speaks.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/report.h"
#include "roundhouse/roundhouse.h"

namespace roundhouse::host {
namespace {

class VersionCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("version", "Print the versions of the program and of its plugin interface");
    declare_json(command);
    return command;
  }

  int run(const Program&) override {
    const std::string abi = fmt::format("{}.{}", RH_ABI_MAJOR, RH_ABI_MINOR);
    if (json()) {
      OrderedJson object;
      object["version"] = program_version();
      object["abi"] = abi;
      print_json(object);
    } else {
      print("roundhouse " + program_version() + "\nplugin ABI " + abi + "\n");
    }
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_version_command() {
  return std::make_unique<VersionCommand>();
}

}  // namespace roundhouse::host
