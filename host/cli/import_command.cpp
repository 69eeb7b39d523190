// SPDX-License-Identifier: Apache-2.0
// `roundhouse import` and `roundhouse create`: models of this machine into the store.
#include "host/cli/command.h"
#include "host/cli/hub_work.h"
#include "host/cli/import_work.h"
#include "host/cli/transfer_view.h"
#include "host/store/model_fetch.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

class ImportCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command =
        app.add_subcommand("import", "Take a model directory, a GGUF or an OCI archive into the store");
    command
        ->add_option("path", request_.path,
                     "A model directory (model_index.json or config.json), a GGUF file, or a tar of 'pack'")
        ->type_name("PATH")
        ->required();
    command
        ->add_option("--name", request_.name,
                     "NAME[:VARIANT][@VERSION] [default: the last part of PATH, or the archive's own]")
        ->type_name("NAME");
    command->add_flag(
        "--hf-cache", hf_cache_,
        "PATH is hf:org/name[@revision]: take it from the cache of the hub's own clients, without "
        "a network");
    request_.parts.declare(*command);
    placement_.declare(*command);
    declare_json(*command);
    return command;
  }

  int run(const Program& program) override {
    request_.placement = placement_.placement();
    request_.json = json();
    const ImportReport report = hf_cache_ ? from_hub_cache(program) : import_path(program, request_);
    return print_import(report, program.store(), json());
  }

 private:
  ImportReport from_hub_cache(const Program& program) const {
    std::optional<ModelName> wanted;
    if (!request_.name.empty()) wanted = ModelName::parse(request_.name);
    HubOptions hub = hub_options({}, environment_variable);
    hub.offline = true;
    ImportOptions options;
    options.placement = request_.placement;
    options.progress = transfer_progress("importing", json());
    return take_hub_model(program, request_.path, wanted, std::move(hub), std::move(options));
  }

  ImportRequest request_;
  bool hf_cache_ = false;
  PlacementFlags placement_;
};

class CreateCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command = app.add_subcommand("create", "Make a model of the store from a ModelSpec");
    command->add_option("-f,--file", file_, "The ModelSpec (YAML)")->type_name("FILE")->required();
    command
        ->add_option("--name", name_, "NAME[:VARIANT][@VERSION] [default: name and version of the ModelSpec]")
        ->type_name("NAME");
    placement_.declare(*command);
    declare_json(*command);
    return command;
  }

  int run(const Program& program) override {
    const ModelSpec spec = read_model_spec(file_);
    const ModelName name = ModelName::parse(
        !name_.empty() ? name_ : spec.name + (spec.version.empty() ? "" : "@" + spec.version));
    require_pinned(spec, name, file_);
    refuse_what_cannot_be_made(spec);
    ImportOptions options;
    options.placement = placement_.placement();
    options.progress = transfer_progress("creating", json());
    Store store = program.store();
    if (spec.path.empty() && spec.base.model.empty())
      return print_import(take_recipe(program, spec, name, hub_options({}, environment_variable), options),
                          store, json());
    options.provenance = local_provenance("recipe");
    options.provenance.repository = spec.base.repository;
    options.provenance.revision = spec.base.revision;
    options.spec = spec;
    return print_import(store.import_directory(source_directory(program, spec), name, options), store,
                        json());
  }

 private:
  fs::path source_directory(const Program& program, const ModelSpec& spec) const {
    if (spec.path.is_absolute()) return spec.path;
    if (!spec.path.empty()) return fs::absolute(file_).parent_path() / spec.path;
    const ResolvedModel base = program.models().resolve(spec.base.model);
    require_present(base);
    return base.directory;
  }

  void refuse_what_cannot_be_made(const ModelSpec& spec) const {
    if (!spec.quantization.empty() && spec.quantization != "none")
      throw Error(RH_CAPABILITY_UNSUPPORTED,
                  file_ + ": quantization: '" + spec.quantization + "' asks for a conversion, expected none",
                  "convert the weights first");
  }

  std::string file_, name_;
  PlacementFlags placement_;
};

}  // namespace

std::unique_ptr<Command> make_import_command() {
  return std::make_unique<ImportCommand>();
}

std::unique_ptr<Command> make_create_command() {
  return std::make_unique<CreateCommand>();
}

}  // namespace roundhouse::host
