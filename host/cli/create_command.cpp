// SPDX-License-Identifier: Apache-2.0
// `roundhouse create`: a model of the store from a ModelSpec.
#include <map>

#include "host/app/hub_models.h"
#include "host/cli/command.h"
#include "host/cli/import_flags.h"
#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/cli/transfer_view.h"
#include "host/session/session.h"
#include "host/store/directory_manifest.h"
#include "host/store/model_fetch.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// What a recipe calls them -> what engines write.
const std::map<std::string, std::string> kTypes = {{"int8", "q8_0"}, {"int4", "q4_0"}, {"fp16", "f16"}};

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
    const ModelSpec spec = read_model_spec(file_);
    const ModelName name = ModelName::parse(
        !name_.empty() ? name_ : spec.name + (spec.version.empty() ? "" : "@" + spec.version));
    require_pinned(spec, name, file_);
    ImportOptions options;
    options.check = engine_check(program);
    options.link_mode = link_mode_.link_mode();
    options.progress = transfer_progress("creating", json());
    Store store = program.store();
    const bool converts = kTypes.contains(spec.quantization);
    if (spec.path.empty() && spec.base.model.empty()) {
      if (converts) refuse_conversion_of_what_is_elsewhere(spec);
      return print_import(
          take_recipe(program.app(), spec, name, hub_options({}, environment_variable), options), store,
          json());
    }
    options.provenance = local_provenance(program.app(), "recipe");
    options.provenance.repository = spec.base.repository;
    options.provenance.revision = spec.base.revision;
    options.spec = spec;
    const fs::path directory = source_directory(program, spec);
    const ImportReport report = converts ? convert(program, directory, name, options)
                                         : store.import_directory(directory, name, options);
    return print_import(report, store, json());
  }

 private:
  fs::path source_directory(const Program& program, const ModelSpec& spec) const {
    if (spec.path.is_absolute()) return spec.path;
    if (!spec.path.empty()) return fs::absolute(file_).parent_path() / spec.path;
    const ResolvedModel base = program.models().resolve(spec.base.model);
    require_present(base);
    return base.directory;
  }

  void refuse_conversion_of_what_is_elsewhere(const ModelSpec& spec) const {
    throw Error(RH_INVALID_ARGUMENT,
                file_ + ": quantization: '" + spec.quantization +
                    "' needs the files here, expected path or base.model",
                "roundhouse pull hf:" + spec.base.repository + ", and give its name as base.model");
  }

  // The directory's weights in the recipe's type, by the engine that will read them.
  ImportReport convert(const Program& program, const fs::path& directory, const ModelName& name,
                       ImportOptions options) const {
    const ModelSpec spec = *options.spec;
    const std::atomic<bool>& cancelled = watch_interrupts();
    const std::unique_ptr<Log> log = program.log();
    ClientOptions client;
    client.log = [&](std::uint32_t level, const std::string& category, const std::string& message) {
      log->write(level, category, message);
    };
    Registry registry = program.registry();
    ConversionPlan plan =
        make_conversion_plan(kTypes.at(spec.quantization), spec.format, std::nullopt, registry);
    plan.job.source = inspect_model_directory(directory).path;
    options.source = plan.job.source.lexically_normal().string();
    Conversion conversion;
    conversion.type = plan.job.type;
    conversion.format = spec.format;
    conversion.source_files = digest_of_directory(directory, transfer_progress("hashing", json())).text();
    return program.store().build(name, options, [&](const fs::path& target, ImportOptions& made) {
      plan.job.target = target;
      OneWorker worker(registry, client);
      const ConversionResult result = run_conversion(plan, worker, cancelled, [&](const ConvertEvent& event) {
        options.progress({event.file, event.done_bytes, event.total_bytes});
      });
      // That of the source says nothing of the result.
      if (has_directory_manifest(target)) fs::remove(target / kDirectoryManifest);
      conversion.engine = result.engine;
      conversion.engine_version = result.report.version;
      made.provenance.conversion = conversion;
    });
  }

  std::string file_, name_;
  LinkModeFlags link_mode_;
};

}  // namespace

std::unique_ptr<Command> make_create_command() {
  return std::make_unique<CreateCommand>();
}

}  // namespace roundhouse::host
