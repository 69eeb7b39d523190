// SPDX-License-Identifier: Apache-2.0
// `roundhouse cp`, `rm`, `gc` and `clean`: names and space of the model store.
#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/store_report.h"

namespace roundhouse::host {
namespace {

class CopyCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("cp", "Give a model of the store another name; copies no files");
    command.add("source", "NAME", "The name it has", &source_).required = true;
    command.add("target", "NAME", "The name it shall have as well", &target_).required = true;
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const ModelName source = ModelName::parse(source_), target = ModelName::parse(target_);
    Store store = program.store();
    stored_model(program, store, source);
    const StoredModel model = store.alias(source, target);
    if (json()) {
      print_json({{"name", model.name}, {"digest", model.digest.text()}});
    } else {
      print(model.name + "  " + model.digest.brief() + "\n");
    }
    return 0;
  }

 private:
  std::string source_, target_;
};

class RemoveCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("rm", "Take a name out of the store; 'roundhouse gc' frees what no name needs");
    command.add("name", "NAME", "The model's name", &name_).required = true;
    command.add("--prune", "Free what only this model needed at once", &prune_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const ModelName name = ModelName::parse(name_);
    Store store = program.store();
    stored_model(program, store, name);
    const Collection collection = store.remove(name, prune_);
    if (json()) {
      OrderedJson object;
      object["name"] = name.text();
      object["removed"] = collection_json(collection);
      print_json(object);
    } else {
      print("removed the name " + name.text() + "\n");
      if (prune_) print(collection_text(collection, "removed"));
    }
    return 0;
  }

 private:
  std::string name_;
  bool prune_ = false;
};

class GcCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("gc", "Free what no name of the store needs; safe while others import");
    command.add("--dry-run", "Only say what would be removed", &dry_run_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const Collection collection = program.store().collect(dry_run_);
    if (json()) {
      OrderedJson object = collection_json(collection);
      object["dry_run"] = dry_run_;
      print_json(object);
    } else {
      print(collection_text(collection, dry_run_ ? "would remove" : "removed"));
    }
    return 0;
  }

 private:
  bool dry_run_ = false;
};

class CleanCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command(
        "clean",
        "Remove downloads that were not finished, temporary files and directory views; keeps every model");
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const Collection collection = program.store().clean();
    if (json()) {
      print_json(collection_json(collection));
    } else {
      print(collection_text(collection, "removed"));
    }
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_copy_command() {
  return std::make_unique<CopyCommand>();
}

std::unique_ptr<Command> make_remove_command() {
  return std::make_unique<RemoveCommand>();
}

std::unique_ptr<Command> make_gc_command() {
  return std::make_unique<GcCommand>();
}

std::unique_ptr<Command> make_clean_command() {
  return std::make_unique<CleanCommand>();
}

}  // namespace roundhouse::host
