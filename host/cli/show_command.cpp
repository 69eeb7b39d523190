// SPDX-License-Identifier: Apache-2.0
// `roundhouse show`: one model with its files, where it came from, and which engines can run it.
#include <unistd.h>

#include "host/cli/command.h"
#include "host/cli/generate_summary.h"
#include "host/cli/text.h"

namespace roundhouse::host {
namespace {

// What is known of a model, in the store or in a directory.
struct Shown {
  ModelSpec spec;
  std::string name, architecture, weight_format, directory;
  std::vector<std::string> dtypes;
  std::optional<StoredModel> stored;
  std::optional<ModelManifest> manifest;
  Provenance provenance;
};

Shown show_stored(const Store& store, const StoredModel& model) {
  Shown shown;
  shown.stored = model;
  shown.name = model.name;
  shown.manifest = store.manifest(model);
  const ModelConfig config = store.config(model, *shown.manifest);
  shown.spec = config.spec;
  shown.architecture = config.architecture;
  shown.weight_format = config.weight_format;
  shown.dtypes = config.dtypes;
  shown.provenance = config.provenance;
  return shown;
}

Shown show_directory(const ResolvedModel& model) {
  const ModelDirectory directory = inspect_model_directory(model.directory);
  Shown shown;
  shown.name = model.name;
  if (model.spec) {
    shown.spec = *model.spec;
  } else {
    shown.spec.defaults = model.defaults;
    shown.spec.size = model.size;
  }
  shown.architecture = directory.architecture;
  shown.weight_format = directory.weight_format;
  shown.dtypes = directory.dtypes;
  shown.directory = directory.path.string();
  return shown;
}

Decision engines_for(const Shown& shown, const Program& program) {
  RouteRequest request;
  request.architecture = shown.architecture;
  request.weight_format = shown.weight_format;
  request.dtypes = shown.dtypes;
  return route(request, program.registry().records());
}

OrderedJson provenance_json(const Shown& shown) {
  OrderedJson json;
  const auto put = [&](const char* name, const std::string& value) {
    if (!value.empty()) json[name] = value;
  };
  put("kind", shown.provenance.kind);
  put("repository", shown.provenance.repository);
  put("revision", shown.provenance.revision);
  put("tool", shown.provenance.tool);
  if (shown.stored) put("source", shown.stored->source);
  if (shown.stored) put("created", shown.stored->created);
  return json;
}

OrderedJson shown_json(const Shown& shown, const Decision& decision) {
  OrderedJson json;
  const auto text = [](const std::string& value) {
    return value.empty() ? OrderedJson(nullptr) : OrderedJson(value);
  };
  json["name"] = shown.name;
  json["title"] = text(shown.spec.title);
  json["description"] = text(shown.spec.description);
  json["license"] = text(shown.spec.license);
  json["architecture"] = shown.architecture;
  json["weight_format"] = shown.weight_format;
  json["dtypes"] = shown.dtypes;
  json["defaults"] = model_defaults_json(shown.spec.defaults);
  json["size"] = {{"minimum", shown.spec.size.minimum},
                  {"maximum", shown.spec.size.maximum},
                  {"multiple_of", shown.spec.size.multiple_of}};
  json["digest"] = shown.stored ? OrderedJson(shown.stored->digest.text()) : OrderedJson(nullptr);
  json["directory"] = text(shown.directory);
  json["bytes"] = shown.manifest ? OrderedJson(shown.manifest->bytes) : OrderedJson(nullptr);
  json["files"] = OrderedJson::array();
  for (const ModelFile& file : shown.manifest ? shown.manifest->files : std::vector<ModelFile>{})
    json["files"].push_back({{"path", file.path},
                             {"media_type", file.media_type},
                             {"digest", file.digest.text()},
                             {"bytes", file.size}});
  json["provenance"] = shown.stored ? provenance_json(shown) : OrderedJson(nullptr);
  json["engines"] = verdicts_json(decision);
  return json;
}

std::string shown_text(const Shown& shown, const Decision& decision, std::size_t width) {
  std::string text = shown.name + "\n";
  const auto line = [&](const char* label, const std::string& value) {
    if (!value.empty()) text += labelled(label, one_line(value), width);
  };
  line("what", shown.spec.title + (shown.spec.description.empty() ? "" : ": " + shown.spec.description));
  line("license", shown.spec.license);
  line("model", shown.architecture + ", " + shown.weight_format + " of " + join(shown.dtypes, ", "));
  line("size", std::to_string(shown.spec.size.minimum) + " to " + std::to_string(shown.spec.size.maximum) +
                   ", multiples of " + std::to_string(shown.spec.size.multiple_of));
  std::vector<std::string> defaults;
  const OrderedJson given = model_defaults_json(shown.spec.defaults);
  for (const auto& [name, value] : given.items())
    defaults.push_back(name + " " + value.dump());
  line("defaults", join(defaults, ", "));
  line("directory", shown.directory);
  if (shown.stored) {
    line("digest", shown.stored->digest.text());
    std::vector<std::string> origin;
    const OrderedJson provenance = provenance_json(shown);
    for (const auto& [name, value] : provenance.items())
      origin.push_back(name + " " + value.get<std::string>());
    line("provenance", join(origin, ", "));
    line("bytes", human_bytes(shown.manifest->bytes) + " in " + std::to_string(shown.manifest->files.size()) +
                      " files");
    for (const ModelFile& file : shown.manifest->files)
      text +=
          "    " + file.digest.brief() + "  " + human_bytes(file.size) + "  " + one_line(file.path) + "\n";
  }
  return text + verdicts_text(decision, width);
}

class ShowCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command = app.add_subcommand("show", "Show one model: files, origin, defaults, engines for it");
    command->add_option("name", name_, "A model by name, or a directory")->type_name("NAME")->required();
    declare_json(*command);
    return command;
  }

  int run(const Program& program) override {
    const Shown shown = look(program);
    const Decision decision = engines_for(shown, program);
    if (json()) {
      print_json(shown_json(shown, decision));
    } else {
      std::string text = shown_text(shown, decision, terminal_width(STDOUT_FILENO));
      if (!text.ends_with("\n")) text += "\n";
      print(text);
    }
    return 0;
  }

 private:
  Shown look(const Program& program) const {
    const Store store = program.store();
    if (const auto name = ModelName::try_parse(name_)) {
      if (const auto model = store.find(*name)) return show_stored(store, *model);
    }
    return show_directory(program.models().resolve(name_));
  }

  std::string name_;
};

}  // namespace

std::unique_ptr<Command> make_show_command() {
  return std::make_unique<ShowCommand>();
}

}  // namespace roundhouse::host
