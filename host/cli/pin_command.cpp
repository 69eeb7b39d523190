// SPDX-License-Identifier: Apache-2.0
// `roundhouse pin`: the commits that a pull has found, in the user's recipe.
#include "host/app/pin.h"
#include "host/cli/command.h"
#include "host/cli/report.h"

namespace roundhouse::host {
namespace {

class PinCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command(
        "pin",
        "Write the commits that a model was pulled from into your own recipe of it, so that the "
        "next pull fetches exactly these");
    command.add("name", "NAME", "A model of the store that was pulled from a hub", &name_).required = true;
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const PinReport report = pin_model(program.app(), name_);
    if (json()) {
      OrderedJson answer;
      answer["name"] = report.name;
      answer["file"] = report.file.string();
      answer["sources"] = report.sources;
      print_json(answer);
      return 0;
    }
    std::string text = report.file.string() + "\n";
    for (const auto& [repository, commit] : report.sources)
      text += "  " + repository + "  " + commit + "\n";
    print(text);
    return 0;
  }

 private:
  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_pin_command() {
  return std::make_unique<PinCommand>();
}

}  // namespace roundhouse::host
