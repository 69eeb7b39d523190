// SPDX-License-Identifier: Apache-2.0
// `roundhouse verify` and `roundhouse validate`: whether models are what they were, and whether files can be
// one.
#include <unistd.h>

#include "host/cli/command.h"
#include "host/cli/store_report.h"
#include "host/cli/text.h"
#include "host/cli/transfer_view.h"
#include "host/store/gguf_header.h"
#include "host/store/small_file.h"
#include "host/store/validate.h"
#include "host/store/weight_files.h"

namespace roundhouse::host {
namespace {

class VerifyCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command =
        app.add_subcommand("verify", "Hash the files of the store's models and name all damage");
    command->add_option("name", name_, "One model [default: all]")->type_name("NAME");
    declare_json(*command);
    return command;
  }

  int run(const Program& program) override {
    Store store = program.store();
    const auto models = name_.empty() ? store.list() : std::vector{store.get(ModelName::parse(name_))};
    std::string first, text;
    for (const StoredModel& model : models) {
      const auto damages = store.verify(model, transfer_progress("verifying " + model.name, json()));
      add(model, damages);
      text +=
          model.name + "  " + model.digest.brief() + "  " + (damages.empty() ? "sound" : "damaged") + "\n";
      for (const Damage& damage : damages) {
        text += labelled(damage.kind, one_line(damage.file + ": " + damage.detail),
                         terminal_width(STDOUT_FILENO));
        if (first.empty())
          first =
              "model '" + model.name + "': file '" + damage.file + "': " + damage.kind + ": " + damage.detail;
      }
    }
    if (!json()) print(text.empty() ? "the store is empty\n" : text);
    if (!first.empty()) throw Error(RH_INTEGRITY_MISMATCH, first, "import or pull the damaged models again");
    if (json()) print_json(partial());
    return 0;
  }

  OrderedJson partial() const override {
    OrderedJson object;
    object["models"] = models_;
    return object;
  }

 private:
  void add(const StoredModel& model, const std::vector<Damage>& damages) {
    OrderedJson row;
    row["name"] = model.name;
    row["digest"] = model.digest.text();
    row["sound"] = damages.empty();
    row["damages"] = OrderedJson::array();
    for (const Damage& damage : damages)
      row["damages"].push_back(damage_json(damage));
    models_.push_back(std::move(row));
  }

  std::string name_;
  OrderedJson models_ = OrderedJson::array();
};

class ValidateCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command = app.add_subcommand(
        "validate", "Say what is wrong with a model directory, a GGUF file or a ModelSpec");
    command->add_option("path", path_, "A model directory, a GGUF file, or a ModelSpec (YAML)")
        ->type_name("PATH")
        ->required();
    declare_json(*command);
    return command;
  }

  int run(const Program&) override {
    problems_ = look();
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
      print(path_ + ": nothing is wrong\n");
    }
    return 0;
  }

  OrderedJson partial() const override {
    OrderedJson object;
    object["path"] = path_;
    object["problems"] = OrderedJson::array();
    for (const Error& problem : problems_)
      object["problems"].push_back(error_json(problem));
    return object;
  }

 private:
  std::vector<Error> look() const {
    std::error_code ignored;
    if (std::filesystem::is_directory(path_, ignored)) return model_directory_problems(path_);
    if (is_gguf(path_)) return gguf_problems();
    const auto text = read_small_file(path_, path_, 1 << 20);
    if (!text) throw Error(RH_IO_ERROR, path_ + ": no such file or directory");
    return model_spec_problems(*text, path_);
  }

  std::vector<Error> gguf_problems() const {
    try {
      read_gguf_header(path_, path_);
      return {};
    } catch (const Error& error) {
      return {error};
    }
  }

  std::string path_;
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
