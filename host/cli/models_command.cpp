// SPDX-License-Identifier: Apache-2.0
// `roundhouse models`: what can be given to --model by name.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "host/store/model_json.h"
#include "host/text/json_text.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

std::string entry_text(const ModelCatalogue::Entry& entry, std::size_t width) {
  const bool is_default = entry.spec.name == ModelCatalogue::kDefaultModel;
  std::string text = entry.spec.name + "  " +
                     (entry.problem   ? "damaged"
                      : entry.present ? "present"
                                      : "not present") +
                     (entry.stored ? ", in the store" : "") + (is_default ? ", the default" : "") + "\n";
  if (entry.problem) return text + labelled("problem", one_line(entry.problem->what()), width);
  text += labelled("what",
                   entry.spec.title + (entry.spec.description.empty() ? "" : ": " + entry.spec.description),
                   width);
  if (makes_images(entry.spec.architecture))
    text += labelled("size",
                     fmt::format("{} to {}, multiples of {}", entry.spec.size.minimum,
                                 entry.spec.size.maximum, entry.spec.size.multiple_of),
                     width);
  std::vector<std::string> defaults;
  const OrderedJson given = model_defaults_json(entry.spec.defaults);
  for (const auto& [name, value] : given.items()) {
    defaults.push_back(name + " " + json_text(value));
  }
  if (!defaults.empty()) text += labelled("defaults", joined(defaults), width);
  return text + labelled("directory", entry.directory.string(), width);
}

class ModelsCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("models", "List the models that can be named, and which are present");
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const ModelCatalogue catalogue = program.models();
    if (json()) {
      OrderedJson object;
      object["models"] = OrderedJson::array();
      for (const auto& entry : catalogue.entries()) {
        OrderedJson model = model_entry_json(entry);
        model["directory"] = entry.directory.string();
        model["spec"] = entry.spec.file.string();
        object["models"].push_back(std::move(model));
      }
      object["problems"] = OrderedJson::array();
      for (const Error& problem : catalogue.problems())
        object["problems"].push_back(error_json(problem));
      print_json(object);
      return 0;
    }
    const std::size_t width = terminal_width(STDOUT_FILENO);
    std::string text;
    for (const auto& entry : catalogue.entries())
      text += (text.empty() ? "" : "\n") + entry_text(entry, width);
    if (text.empty()) text = "no models were found\n";
    for (const Error& problem : catalogue.problems())
      text += "\nproblem: " + one_line(problem.what()) + "\n";
    print(text);
    return 0;
  }
};

}  // namespace

std::unique_ptr<Command> make_models_command() {
  return std::make_unique<ModelsCommand>();
}

}  // namespace roundhouse::host
