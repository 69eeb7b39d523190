// SPDX-License-Identifier: Apache-2.0
// `roundhouse import` and `roundhouse create`: models of this machine into the store.
#include <algorithm>

#include "host/cli/command.h"
#include "host/cli/store_report.h"
#include "host/cli/transfer_view.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// Flags that say how files get into the store.
struct PlacementFlags {
  bool link = false, copy = false;

  void declare(CLI::App& command) {
    auto* linked = command.add_flag("--link", link,
                                    "Hard-link the files where they lie on the store's file system; a later "
                                    "change of them damages the model");
    command.add_flag("--copy", copy, "Copy the bytes even where the file system could share them")
        ->excludes(linked);
  }
  Placement placement() const {
    return link ? Placement::link : copy ? Placement::copy : Placement::automatic;
  }
};

Provenance provenance(const std::string& kind) {
  return {kind, {}, {}, "roundhouse " + program_version()};
}

int finish(const ImportReport& report, const Store& store, bool json) {
  if (json) {
    print_json(import_json(report, store));
  } else {
    print(import_text(report));
  }
  return 0;
}

std::string name_of_path(const fs::path& path) {
  fs::path whole = fs::absolute(path).lexically_normal();
  if (!whole.has_filename()) whole = whole.parent_path();
  return whole.filename().string();
}

class ImportCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command =
        app.add_subcommand("import", "Take a model directory or an OCI archive into the store");
    command
        ->add_option("path", path_,
                     "A model directory (model_index.json and its components), or a tar of 'pack'")
        ->type_name("PATH")
        ->required();
    command
        ->add_option("--name", name_,
                     "NAME[:VARIANT][@VERSION] [default: the last part of PATH, or the archive's own]")
        ->type_name("NAME");
    placement_.declare(*command);
    declare_json(*command);
    return command;
  }

  int run(const Program& program) override {
    ImportOptions options;
    Store store = program.store();
    options.progress = transfer_progress("importing", json());
    if (std::error_code ignored; fs::is_regular_file(path_, ignored)) {
      std::optional<ModelName> wanted;
      if (!name_.empty()) wanted = ModelName::parse(name_);
      return finish(store.import_archive(path_, wanted, options), store, json());
    }
    const ModelName name = ModelName::parse(name_.empty() ? name_of_path(path_) : name_);
    options.placement = placement_.placement();
    options.provenance = provenance("directory");
    options.spec = recipe(program, name);
    return finish(store.import_directory(path_, name, options), store, json());
  }

 private:
  // The recipe of the directory itself, or else of the name.
  std::optional<ModelSpec> recipe(const Program& program, const ModelName& name) const {
    std::error_code error;
    const fs::path directory = fs::canonical(path_, error);
    std::optional<ModelSpec> named;
    for (const auto& entry : program.models().entries()) {
      if (entry.stored || entry.spec.file.empty()) continue;
      if (!error && entry.present && fs::equivalent(entry.directory, directory, error)) return entry.spec;
      if (entry.spec.name == name.name()) named = entry.spec;
    }
    return named && named->architecture == architecture() ? named : std::nullopt;
  }

  std::string architecture() const {
    try {
      return inspect_model_directory(path_).architecture;
    } catch (const Error&) {
      return "";  // the import says what is wrong
    }
  }

  std::string path_, name_;
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
    refuse_what_cannot_be_made(spec, name);
    const fs::path directory =
        spec.path.is_absolute() ? spec.path : fs::absolute(file_).parent_path() / spec.path;
    ImportOptions options;
    options.placement = placement_.placement();
    options.provenance = provenance("recipe");
    options.provenance.repository = spec.base_repository;
    options.provenance.revision = spec.base_revision;
    options.spec = spec;
    options.progress = transfer_progress("creating", json());
    Store store = program.store();
    return finish(store.import_directory(directory, name, options), store, json());
  }

 private:
  void refuse_what_cannot_be_made(const ModelSpec& spec, const ModelName& name) const {
    const bool pinned = spec.base_revision.size() == 40 &&
                        spec.base_revision.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!name.version().empty() && !spec.base_repository.empty() && !pinned)
      throw Error(RH_INVALID_ARGUMENT,
                  file_ +
                      ": base.revision: a model with a version needs a pinned one, expected 40 hexadecimal "
                      "digits of a commit",
                  "pin base.revision, or leave the version out");
    if (spec.path.empty())
      throw Error(RH_INVALID_ARGUMENT,
                  file_ + ": path: is missing, and create does not fetch '" + spec.base_repository + "'",
                  "fetch the repository first and give its directory as path");
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
