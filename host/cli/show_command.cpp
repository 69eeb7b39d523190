// SPDX-License-Identifier: Apache-2.0
// `roundhouse show`: one model with its files, where it came from, and which engines can run it.
#include <fmt/format.h>
#include <unistd.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "host/cli/command.h"
#include "host/cli/generate_summary.h"
#include "host/cli/text.h"
#include "host/store/model_files.h"
#include "host/store/model_json.h"
#include "host/store/small_file.h"
#include "host/store/weight_files.h"
#include "host/text/json_text.h"
#include "host/text/list.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

// A file of the model; its digest only where the store has it, as hashing a large model takes minutes.
struct ShownFile {
  std::string path, media_type;
  std::optional<Digest> digest;
  std::uint64_t size = 0;
};

// What is known of a model, in the store or in a directory.
struct Shown {
  ModelSpec spec;
  std::string name, architecture, weight_format, directory;
  std::set<std::string> tasks;  // that engines here do with it
  std::vector<std::string> dtypes;
  std::string main_dtype;
  std::optional<StoredModel> stored;
  std::vector<ShownFile> files;  // by path
  std::uint64_t bytes = 0;       // of all files, each content once where digests tell
  Provenance provenance;
  std::map<std::string, WeightRecord> weights;  // of a stored model
};

// What a folder of the model holds. The digest is that of the lines "DIGEST PATH" of its files, so that
// models which share a component show the same.
struct Component {
  std::uint64_t bytes = 0;
  std::string lines;  // empty: digests are not known

  std::optional<Digest> digest() const { return lines.empty() ? std::nullopt : std::optional(sha256(lines)); }
};

std::map<std::string, Component> components_of(const Shown& shown) {
  std::map<std::string, Component> components;
  for (const ShownFile& file : shown.files) {
    const std::size_t slash = file.path.find('/');
    if (slash == std::string::npos && !is_weights(file.media_type)) continue;
    Component& component = components[slash == std::string::npos ? "model" : file.path.substr(0, slash)];
    component.bytes += file.size;
    if (file.digest) component.lines += file.digest->text() + " " + file.path + "\n";
  }
  return components;
}

// How the tensors are stored: by type, how many and how many bytes.
struct TypeShare {
  std::uint64_t tensors = 0, bytes = 0;
};

std::map<std::string, TypeShare> types_of(const std::map<std::string, WeightRecord>& weights) {
  std::map<std::string, TypeShare> types;
  for (const auto& [path, record] : weights) {
    for (const TensorRecord& tensor : record.tensors) {
      const std::string known = capability_dtype(tensor.dtype);
      TypeShare& share = types[known.empty() ? tensor.dtype : known];
      ++share.tensors;
      share.bytes += tensor.end - tensor.begin;
    }
  }
  return types;
}

Shown show_stored(const Store& store, const StoredModel& model) {
  Shown shown;
  shown.stored = model;
  shown.name = model.name;
  const ModelManifest manifest = store.manifest(model);
  for (const ModelFile& file : manifest.files)
    shown.files.push_back({file.path, file.media_type, file.digest, file.size});
  shown.bytes = manifest.bytes;
  const ModelConfig config = store.config(model, manifest);
  shown.spec = config.spec;
  shown.architecture = config.architecture;
  shown.weight_format = config.weight_format;
  shown.dtypes = config.dtypes;
  shown.provenance = config.provenance;
  shown.weights = config.weights;
  return shown;
}

Shown show_directory(const ResolvedModel& model) {
  require_present(model);
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
  shown.main_dtype = directory.main_dtype;
  shown.directory = directory.path.string();
  for (const SourceFile& file : model_files(directory.path)) {
    shown.files.push_back({file.path, media_type_of(file.path), std::nullopt, file.size});
    shown.bytes += file.size;
  }
  return shown;
}

// For the first of the model's tasks.
Decision engines_for(const Shown& shown, const Registry& registry) {
  RouteRequest request;
  if (!shown.tasks.empty() && !shown.tasks.contains(request.task)) request.task = *shown.tasks.begin();
  request.architecture = shown.architecture;
  request.weight_format = shown.weight_format;
  request.dtypes = shown.dtypes;
  if (!shown.main_dtype.empty()) request.weight_type = shown.main_dtype;
  return route(request, registry.records());
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
  if (!shown.provenance.sources.empty()) json["sources"] = shown.provenance.sources;
  if (shown.provenance.conversion) json["conversion"] = conversion_json(*shown.provenance.conversion);
  if (shown.stored) put("source", shown.stored->source);
  if (shown.stored) put("created", shown.stored->created);
  return json;
}

OrderedJson digest_json(const std::optional<Digest>& digest) {
  return digest ? OrderedJson(digest->text()) : OrderedJson(nullptr);
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
  json["tasks"] = shown.tasks;
  json["weight_format"] = shown.weight_format;
  json["dtypes"] = shown.dtypes;
  json["defaults"] = model_defaults_json(shown.spec.defaults);
  json["size"] = size_json(shown.spec, shown.architecture);
  json["digest"] = shown.stored ? OrderedJson(shown.stored->digest.text()) : OrderedJson(nullptr);
  json["directory"] = text(shown.directory);
  json["bytes"] = shown.bytes;
  json["files"] = OrderedJson::array();
  for (const ShownFile& file : shown.files)
    json["files"].push_back({{"path", file.path},
                             {"media_type", file.media_type},
                             {"digest", digest_json(file.digest)},
                             {"bytes", file.size}});
  json["components"] = OrderedJson::array();
  for (const auto& [name, component] : components_of(shown))
    json["components"].push_back(
        {{"name", name}, {"bytes", component.bytes}, {"digest", digest_json(component.digest())}});
  json["types"] = OrderedJson::object();
  for (const auto& [type, share] : types_of(shown.weights))
    json["types"][type] = {{"tensors", share.tensors}, {"bytes", share.bytes}};
  json["provenance"] = shown.stored ? provenance_json(shown) : OrderedJson(nullptr);
  json["engines"] = verdicts_json(decision);
  return json;
}

std::string provenance_text(const Shown& shown) {
  std::vector<std::string> origin;
  const OrderedJson provenance = provenance_json(shown);
  for (const auto& [name, value] : provenance.items()) {
    if (name == "conversion") {
      const std::size_t files = value.contains("source_files") ? value.at("source_files").size() : 0;
      origin.push_back(fmt::format("converted from {} (--json lists them)",
                                   files == 1 ? "1 file" : fmt::format("{} files", files)));
    } else {
      origin.push_back(name + " " + value.get<std::string>());
    }
  }
  return joined(origin);
}

std::string files_text(const Shown& shown, std::size_t width) {
  std::string text =
      labelled("bytes", fmt::format("{} in {} files", human_bytes(shown.bytes), shown.files.size()), width);
  for (const auto& [name, component] : components_of(shown)) {
    const std::optional<Digest> digest = component.digest();
    text += labelled(
        "component",
        one_line(name + (digest ? " " + digest->brief() : "")) + ", " + human_bytes(component.bytes), width);
  }
  for (const auto& [type, share] : types_of(shown.weights))
    text += labelled("weights",
                     fmt::format("{}: {} tensors, {}", type, share.tensors, human_bytes(share.bytes)), width);
  for (const ShownFile& file : shown.files)
    text += "    " + (file.digest ? file.digest->brief() + "  " : "") + human_bytes(file.size) + "  " +
            one_line(file.path) + "\n";
  return text;
}

std::string shown_text(const Shown& shown, const Decision& decision, std::size_t width) {
  std::string text = shown.name + "\n";
  const auto line = [&](const char* label, const std::string& value) {
    if (!value.empty()) text += labelled(label, one_line(value), width);
  };
  line("what", shown.spec.title + (shown.spec.description.empty() ? "" : ": " + shown.spec.description));
  line("license", shown.spec.license);
  line("model", shown.architecture + ", " + shown.weight_format + " of " + joined(shown.dtypes));
  if (!shown.tasks.empty()) line("tasks", joined(shown.tasks));
  if (makes_images(shown.architecture))
    line("size", fmt::format("{} to {}, multiples of {}", shown.spec.size.minimum, shown.spec.size.maximum,
                             shown.spec.size.multiple_of));
  std::vector<std::string> defaults;
  const OrderedJson given = model_defaults_json(shown.spec.defaults);
  for (const auto& [name, value] : given.items())
    defaults.push_back(name + " " + json_text(value));
  line("defaults", joined(defaults));
  line("directory", shown.directory);
  if (shown.stored) {
    line("digest", shown.stored->digest.text());
    line("provenance", provenance_text(shown));
  }
  return text + files_text(shown, width) + verdicts_text(decision, width);
}

class ShowCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("show", "Show one model: files, origin, defaults, engines for it");
    command.add("name", "NAME", "A model by name, or a directory", &name_).required = true;
    command.add("--config",
                "Also the whole configuration: the recipe with its defaults, and every JSON file that "
                "configures a component",
                &config_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    Shown shown = look(program);
    const Registry registry = program.registry();
    shown.tasks = tasks_of(shown.architecture, registry.records());
    const Decision decision = engines_for(shown, registry);
    if (json()) {
      OrderedJson object = shown_json(shown, decision);
      if (config_) object["config"] = configuration(program, shown);
      print_json(object);
    } else {
      std::string text = shown_text(shown, decision, terminal_width(STDOUT_FILENO));
      if (!text.ends_with("\n")) text += "\n";
      if (config_) text += json_lines(configuration(program, shown)) + "\n";
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

  // Of a stored model only once its files are known to be what they were.
  OrderedJson configuration(const Program& program, const Shown& shown) const {
    const std::filesystem::path directory = shown.stored ? program.models().resolve(shown.name).directory
                                                         : std::filesystem::path(shown.directory);
    OrderedJson object;
    object["recipe"] = model_spec_json(shown.spec);
    object["files"] = OrderedJson::object();
    for (const SourceFile& file : model_files(directory)) {
      const bool configures = file.path.ends_with("config.json") || file.path == "model_index.json";
      if (!configures) continue;
      const auto text = read_small_file(file.file, file.path, kMaximumConfigBytes);
      if (text) object["files"][file.path] = OrderedJson(parse_json_object(*text, file.path));
    }
    return object;
  }

  std::string name_;
  bool config_ = false;
};

}  // namespace

std::unique_ptr<Command> make_show_command() {
  return std::make_unique<ShowCommand>();
}

}  // namespace roundhouse::host
