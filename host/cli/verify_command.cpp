// SPDX-License-Identifier: Apache-2.0
// `roundhouse verify` and `roundhouse validate`: whether models are what they were, and whether files can be
// one.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/model_check.h"
#include "host/cli/store_report.h"
#include "host/cli/text.h"
#include "host/cli/transfer_view.h"
#include "host/store/directory_manifest.h"
#include "host/store/gguf_header.h"
#include "host/store/small_file.h"
#include "host/store/validate.h"
#include "host/store/weight_files.h"

namespace roundhouse::host {
namespace {

class VerifyCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("verify", "Hash the files of the store's models and name all damage");
    command.add("name", "NAME",
                "One model of the store, or a directory with a manifest.json [default: all models of the "
                "store]",
                &name_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    Store store = program.store();
    if (is_directory(store)) return verify_one_directory();
    const auto models = name_.empty() ? store.list() : std::vector{store.get(ModelName::parse(name_))};
    for (const StoredModel& model : models)
      add(model.name, model.digest.text(), model.digest.brief(),
          store.verify(model, transfer_progress("verifying " + model.name, json())));
    return finish("import or pull the damaged models again");
  }

  OrderedJson partial() const override {
    OrderedJson object;
    object["models"] = models_;
    return object;
  }

 private:
  // A name of the store comes before a directory of that name, as everywhere.
  bool is_directory(const Store& store) const {
    if (name_.find('/') != std::string::npos || name_ == "." || name_ == "..") return true;
    const auto name = ModelName::try_parse(name_);
    return name && !store.find(*name) && has_directory_manifest(name_);
  }

  int verify_one_directory() {
    std::error_code ignored;
    if (!std::filesystem::is_directory(name_, ignored))
      throw Error(RH_MODEL_NOT_FOUND, "model directory '" + name_ + "': no such directory");
    add(name_, "", "", verify_directory(name_, transfer_progress("verifying " + name_, json())));
    return finish("convert or fetch the model again");
  }

  int finish(const std::string& hint) const {
    if (!json()) print(text_.empty() ? "the store is empty\n" : text_);
    if (!first_.empty()) throw Error(RH_INTEGRITY_MISMATCH, first_, hint);
    if (json()) print_json(partial());
    return 0;
  }

  void add(const std::string& name, const std::string& digest, const std::string& brief,
           const std::vector<Damage>& damages) {
    text_ +=
        name + "  " + (brief.empty() ? "" : brief + "  ") + (damages.empty() ? "sound" : "damaged") + "\n";
    OrderedJson row;
    row["name"] = name;
    row["digest"] = digest.empty() ? OrderedJson(nullptr) : OrderedJson(digest);
    row["sound"] = damages.empty();
    row["damages"] = OrderedJson::array();
    for (const Damage& damage : damages) {
      row["damages"].push_back(damage_json(damage));
      text_ +=
          labelled(damage.kind, one_line(damage.file + ": " + damage.detail), terminal_width(STDOUT_FILENO));
      if (first_.empty())
        first_ = "model '" + name + "': file '" + damage.file + "': " + damage.kind + ": " + damage.detail;
    }
    models_.push_back(std::move(row));
  }

  std::string name_, first_, text_;
  OrderedJson models_ = OrderedJson::array();
};

class ValidateCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("validate", "Say what is wrong with a model directory, a GGUF file or a ModelSpec");
    command.add("path", "PATH", "A model directory, a GGUF file, or a ModelSpec (YAML)", &path_).required =
        true;
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    look(program);
    if (!problems_.empty()) {
      if (!json()) {
        std::string text;
        for (const Error& problem : problems_)
          text += std::string(status_name(problem.code())) + ": " + one_line(problem.what()) + "\n";
        print(text);
      }
      const std::string more =
          problems_.size() == 1 ? "" : " (and " + std::to_string(problems_.size() - 1) + " more)";
      throw Error(problems_.front().code(), problems_.front().what() + more);
    }
    if (json()) {
      print_json(partial());
    } else {
      print(path_ + ": nothing is wrong" +
            (not_looked_.empty() ? "" : " as far as can be told: " + not_looked_) + "\n");
    }
    return 0;
  }

  OrderedJson partial() const override {
    OrderedJson object;
    object["path"] = path_;
    object["engine"] = engine_.empty() ? OrderedJson(nullptr) : OrderedJson(engine_);
    object["problems"] = OrderedJson::array();
    for (const Error& problem : problems_)
      object["problems"].push_back(error_json(problem));
    return object;
  }

 private:
  void look(const Program& program) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path_, ignored)) {
      problems_ = model_directory_problems(path_);
      return look_by_engine(program);
    }
    if (is_gguf(path_)) {
      problems_ = gguf_problems();
      return;
    }
    const auto text = read_small_file(path_, path_, 1 << 20);
    if (!text) throw Error(RH_IO_ERROR, path_ + ": no such file or directory");
    problems_ = model_spec_problems(*text, path_);
  }

  // What `generate` would hear from the engine; where it would not come so far, that is a problem already.
  void look_by_engine(const Program& program) {
    try {
      const InspectionResult result = inspect_by_engine(program, inspect_model_directory(path_));
      engine_ = result.engine;
      not_looked_ = result.not_looked;
      for (const Error& error : errors_of(result))
        problems_.push_back(error);
    } catch (const Error& error) {
      if (error.code() == RH_CANCELLED) throw;
      if (problems_.empty()) problems_.push_back(error);
    }
  }

  std::vector<Error> gguf_problems() const {
    try {
      read_gguf_header(path_, path_);
      return {};
    } catch (const Error& error) {
      return {error};
    }
  }

  std::string path_, engine_, not_looked_;
  std::vector<Error> problems_;
};

}  // namespace

std::unique_ptr<Command> make_verify_command() {
  return std::make_unique<VerifyCommand>();
}

std::unique_ptr<Command> make_validate_command() {
  return std::make_unique<ValidateCommand>();
}

}  // namespace roundhouse::host
