// SPDX-License-Identifier: Apache-2.0
// `roundhouse verify` and `roundhouse validate`: whether models are what they were, and whether files can be
// one.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/app/verify.h"
#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/model_check.h"
#include "host/cli/store_report.h"
#include "host/cli/text.h"
#include "host/cli/transfer_view.h"
#include "host/store/directory_manifest.h"
#include "host/store/model_json.h"
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
    const AppContext app = program.app();
    const auto progress = [json = json()](const std::string& verb) { return transfer_progress(verb, json); };
    const auto seen = [this](const Verified& model) { add(model); };
    if (is_directory(program.store())) {
      add(verify_model_directory(name_, progress));
      return finish("convert or fetch the model again");
    }
    if (name_.empty()) {
      verify_store(app, progress, seen);
    } else {
      stored_model(program, program.store(), ModelName::parse(name_));
      verify_stored(app, {name_}, progress, seen);
    }
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

  int finish(const std::string& hint) const {
    if (!json()) print(text_.empty() ? "the store is empty\n" : text_);
    if (!first_.empty()) throw Error(RH_INTEGRITY_MISMATCH, first_, hint);
    if (json()) print_json(partial());
    return 0;
  }

  void add(const Verified& model) {
    text_ += model.name + "  " + (model.digest ? model.digest->brief() + "  " : "") +
             (model.damages.empty() ? "sound" : "damaged") + "\n";
    for (const Damage& damage : model.damages)
      text_ +=
          labelled(damage.kind, one_line(damage.file + ": " + damage.detail), terminal_width(STDOUT_FILENO));
    if (first_.empty()) first_ = damage_text(model);
    OrderedJson row;
    row["name"] = model.name;
    row["digest"] = model.digest ? OrderedJson(model.digest->text()) : OrderedJson(nullptr);
    row["sound"] = model.damages.empty();
    row["damages"] = OrderedJson::array();
    for (const Damage& damage : model.damages)
      row["damages"].push_back(damage_json(damage));
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
      throw verdict();
    }
    if (json()) {
      print_json(partial());
    } else {
      print(path_ + ": nothing is wrong" +
            (not_looked_.empty() ? "" : " as far as can be told: " + not_looked_) + "\n" + remarks());
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
    object["remarks"] = OrderedJson::array();
    for (const Error& remark : remarks_)
      object["remarks"].push_back(error_json(remark));
    return object;
  }

 private:
  // Without --json the problems are on standard output already, each in a line.
  Error verdict() const {
    const Error& first = problems_.front();
    const std::size_t count = problems_.size();
    const std::string message =
        json() ? first.what() + (count == 1 ? std::string() : fmt::format(" (and {} more)", count - 1))
               : fmt::format("{}: {}", path_, count == 1 ? "1 problem" : fmt::format("{} problems", count));
    std::error_code ignored;
    const bool own_words = !std::filesystem::is_directory(path_, ignored) && !is_gguf(path_);
    return own_words ? Error(first.code(), message,
                             "correct what is said of it; docs/modelspec.md shows what a ModelSpec holds")
                     : Error(first.code(), message, std::string(first.hint()));
  }

  std::string remarks() const {
    std::string text;
    for (const Error& remark : remarks_)
      text += "not read by engine '" + engine_ + "': " + one_line(remark.what()) + "\n";
    return text;
  }

  void look(const Program& program) {
    problems_ = problems_of(path_);
    std::error_code ignored;
    if (std::filesystem::is_directory(path_, ignored)) look_by_engine(program);
  }

  // What `generate` would hear from the engine; where it would not come so far, that is a problem already.
  void look_by_engine(const Program& program) {
    try {
      const InspectionResult result =
          inspect_by_engine(program, inspect_model_directory(path_), watch_interrupts());
      engine_ = result.engine;
      not_looked_ = result.not_looked;
      const std::vector<Error> found = errors_of(result);
      // What the engine can open, `generate` runs: the rest is in files that it does not read.
      if (found.empty() && not_looked_.empty()) remarks_.swap(problems_);
      problems_.insert(problems_.end(), found.begin(), found.end());
    } catch (const Error& error) {
      if (error.code() == RH_CANCELLED) throw;
      if (problems_.empty()) problems_.push_back(error);
    }
  }

  std::string path_, engine_, not_looked_;
  std::vector<Error> problems_;
  std::vector<Error> remarks_;  // about files beside the model
};

}  // namespace

std::unique_ptr<Command> make_verify_command() {
  return std::make_unique<VerifyCommand>();
}

std::unique_ptr<Command> make_validate_command() {
  return std::make_unique<ValidateCommand>();
}

}  // namespace roundhouse::host
