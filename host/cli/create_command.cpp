// SPDX-License-Identifier: Apache-2.0
// `roundhouse create`: a model of the store from a ModelSpec.
#include "host/app/create.h"
#include "host/cli/command.h"
#include "host/cli/convert_report.h"
#include "host/cli/import_flags.h"
#include "host/cli/interrupt.h"
#include "host/cli/transfer_view.h"

namespace roundhouse::host {
namespace {

class CreateCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("create", "Make a model of the store from a ModelSpec");
    command.add("-f,--file", "FILE", "The ModelSpec (YAML)", &file_).required = true;
    command.add("--name", "NAME", "NAME[:VARIANT][@VERSION] [default: name and version of the ModelSpec]",
                &name_);
    link_mode_.declare(command);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    SpecRequest request;
    request.file = file_;
    if (!name_.empty()) request.name = ModelName::parse(name_);
    request.link_mode = link_mode_.link_mode();
    request.progress = [json = json()](const std::string& verb) { return transfer_progress(verb, json); };
    std::unique_ptr<Log> log;
    const auto engines = [&] {
      watch_interrupts();
      log = program.log();
      return convert_engines(program, *log);
    };
    return print_import(create_from_spec(program.app(), request, engines), program.store(), json());
  }

 private:
  std::string file_, name_;
  LinkModeFlags link_mode_;
};

}  // namespace

std::unique_ptr<Command> make_create_command() {
  return std::make_unique<CreateCommand>();
}

}  // namespace roundhouse::host
