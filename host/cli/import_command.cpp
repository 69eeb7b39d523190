// SPDX-License-Identifier: Apache-2.0
// `roundhouse import`: models of this machine into the store.
#include "host/app/hub_models.h"
#include "host/app/import.h"
#include "host/cli/command.h"
#include "host/cli/import_flags.h"
#include "host/cli/transfer_view.h"

namespace roundhouse::host {
namespace {

class ImportCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("import", "Take a model directory, a GGUF or an OCI archive into the store");
    command
        .add("path", "PATH",
             "A model directory (model_index.json or config.json), a GGUF file, or a tar of 'pack'",
             &request_.path)
        .required = true;
    command.add("--name", "NAME",
                "NAME[:VARIANT][@VERSION] [default: the last part of PATH, or the archive's own]",
                &request_.name);
    command.add("--hf-cache",
                "PATH is hf:org/name[@revision]: take it from the cache of the hub's own clients, without "
                "a network",
                &hf_cache_);
    declare_parts(command, request_.parts);
    link_mode_.declare(command);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    request_.link_mode = link_mode_.link_mode();
    request_.progress = transfer_progress("importing", json());
    const ImportReport report = hf_cache_ ? from_hub_cache(program) : import_model(program.app(), request_);
    return print_import(report, program.store(), json());
  }

 private:
  ImportReport from_hub_cache(const Program& program) const {
    HubRequest request{{}, hub_options({}, environment_variable), {}, request_.parts, request_.progress};
    if (!request_.name.empty()) request.name = ModelName::parse(request_.name);
    request.options.offline = true;
    request.link_mode = request_.link_mode;
    return take_hub_model(program.app(), request_.path, std::move(request));
  }

  ImportRequest request_;
  bool hf_cache_ = false;
  LinkModeFlags link_mode_;
};

}  // namespace

std::unique_ptr<Command> make_import_command() {
  return std::make_unique<ImportCommand>();
}

}  // namespace roundhouse::host
