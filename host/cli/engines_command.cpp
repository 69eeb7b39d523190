// SPDX-License-Identifier: Apache-2.0
// `roundhouse engines`: every candidate that was found, what it can do, and why not when it cannot.
#include <unistd.h>

#include "host/cli/command.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

std::vector<std::string> values(const Capabilities& capabilities, const std::string& group) {
  const auto found = capabilities.find(group);
  return found == capabilities.end() ? std::vector<std::string>{} : found->second;
}

std::optional<std::string> fact(const EngineRecord& record, const std::string& name) {
  if (!record.report) return std::nullopt;
  for (const auto& [key, value] : record.report->facts) {
    if (key == name) return value;
  }
  return std::nullopt;
}

// What is known of an engine whether or not it was loaded.
struct Description {
  std::string name, vendor, version, description, maturity;
};

Description describe(const EngineRecord& record) {
  if (record.report) {
    const EngineReport& report = *record.report;
    return {report.name, report.vendor, report.version, report.description, report.maturity};
  }
  if (record.manifest) {
    const EngineManifest& manifest = *record.manifest;
    return {manifest.name, manifest.vendor, manifest.version, manifest.description, manifest.maturity};
  }
  return {};
}

const Capabilities& stated_capabilities(const EngineRecord& record) {
  static const Capabilities none;
  if (record.report) return record.report->capabilities;
  return record.manifest ? record.manifest->capabilities : none;
}

OrderedJson limits_json(const EngineRecord& record) {
  OrderedJson json = OrderedJson::object();
  for (const auto& [name, limit] : record.limits()) {
    json[name] = {{"minimum", limit.minimum}, {"maximum", limit.maximum}, {"multiple_of", limit.multiple_of}};
  }
  return json;
}

OrderedJson record_json(const EngineRecord& record) {
  const Description about = describe(record);
  const Capabilities& capabilities = stated_capabilities(record);
  OrderedJson json;
  json["id"] = record.id;
  json["name"] = about.name;
  json["version"] = about.version;
  json["vendor"] = about.vendor;
  json["description"] = about.description;
  json["maturity"] = about.maturity;
  json["state"] = state_name(record.state);
  json["score"] = record.score();
  json["tasks"] = values(capabilities, "task");
  json["architectures"] = values(capabilities, "architecture");
  json["weight_formats"] = values(capabilities, "weight-format");
  json["dtypes"] = values(capabilities, "dtype");
  json["features"] = values(capabilities, "feature");
  json["samplers"] = values(capabilities, "sampler");
  json["schedules"] = values(capabilities, "schedule");
  json["devices"] = values(capabilities, "device");
  json["limits"] = limits_json(record);
  for (const char* name : {"device", "threads", "simd"}) {
    const std::optional<std::string> value = fact(record, name);
    json[name] = value ? OrderedJson(*value) : OrderedJson();
  }
  json["facts"] = OrderedJson::object();
  if (record.report) {
    for (const auto& [key, value] : record.report->facts)
      json["facts"][key] = value;
  }
  json["manifest"] = record.manifest_file.string();
  json["library"] = record.manifest ? OrderedJson(record.manifest->library.string()) : OrderedJson();
  json["origin"] = record.origin;
  json["error"] = record.error ? error_json(*record.error) : OrderedJson();
  json["differences"] = record.differences;
  json["remarks"] = record.report ? record.report->remarks : std::vector<std::string>{};
  return json;
}

std::string in_use(const EngineRecord& record) {
  if (!record.report) return join(values(stated_capabilities(record), "device"), ", ");
  std::vector<std::string> parts;
  const std::string device = fact(record, "device").value_or("");
  if (!device.empty()) parts.push_back(device);
  for (const auto& [key, value] : record.report->facts) {
    if (key == "device") continue;
    parts.push_back(key == "threads" ? value + (value == "1" ? " thread" : " threads") : key + " " + value);
  }
  return join(parts, ", ");
}

std::string record_text(const EngineRecord& record, std::size_t width) {
  const Description about = describe(record);
  std::string text = (record.id.empty() ? "(no name)" : record.id) +
                     (about.version.empty() ? "" : " " + about.version) + "  " + state_name(record.state);
  if (!about.maturity.empty() && about.maturity != "stable") text += ", " + about.maturity;
  text = one_line(text) + "\n";
  const auto line = [&](const std::string& label, const std::string& value) {
    if (!value.empty()) text += labelled(label, value, width);
  };
  if (record.error) {
    line("why", std::string(status_name(record.error->code())) + ": " + record.error->what());
    line("hint", std::string(record.error->hint()));
  }
  const Capabilities& capabilities = stated_capabilities(record);
  line("what", about.description);
  line("does", join(values(capabilities, "task"), ", "));
  line("models", join(values(capabilities, "architecture"), ", "));
  line("weights", join(values(capabilities, "dtype"), ", "));
  line("features", join(values(capabilities, "feature"), ", "));
  line("samplers", join(values(capabilities, "sampler"), ", "));
  line("runs on", in_use(record));
  for (const std::string& difference : record.differences)
    line("differs", difference);
  if (record.report) {
    for (const std::string& remark : record.report->remarks)
      line("remark", remark);
  }
  line("manifest", record.manifest_file.string() + " (" + record.origin + ")");
  return text;
}

class EnginesCommand : public Command {
 public:
  CLI::App* declare(CLI::App& app) override {
    CLI::App* command = app.add_subcommand(
        "engines", "List every engine that was found, what it can do, and what is wrong with it");
    command->add_flag("--no-probe", no_probe_, "Read the manifests only; load nothing");
    declare_json(*command);
    return command;
  }

  int run(const Program& program) override {
    Registry registry = program.registry();
    const std::unique_ptr<Log> log = program.log();
    if (!no_probe_) {
      ClientOptions options;
      options.log = [&](std::uint32_t level, const std::string& category, const std::string& message) {
        log->write(level, category, message);
      };
      probe_all(registry, options);
    }
    if (json()) {
      print_as_json(program, registry);
    } else {
      print_as_text(program, registry);
    }
    return 0;
  }

 private:
  static void print_as_json(const Program& program, const Registry& registry) {
    OrderedJson object;
    object["engines"] = OrderedJson::array();
    for (const EngineRecord& record : registry.records())
      object["engines"].push_back(record_json(record));
    object["search"] = OrderedJson::array();
    for (const SearchDirectory& directory : program.engine_directories()) {
      object["search"].push_back({{"path", directory.path.string()}, {"origin", directory.origin}});
    }
    print_json(object);
  }

  static void print_as_text(const Program& program, const Registry& registry) {
    const std::size_t width = terminal_width(STDOUT_FILENO);
    std::string text;
    for (const EngineRecord& record : registry.records()) {
      text += (text.empty() ? "" : "\n") + record_text(record, width);
    }
    if (registry.records().empty()) {
      text = "no engines were found in:\n";
      for (const SearchDirectory& directory : program.engine_directories()) {
        text += labelled(directory.origin, directory.path.string(), width);
      }
    }
    print(text);
  }

  bool no_probe_ = false;
};

}  // namespace

std::unique_ptr<Command> make_engines_command() {
  return std::make_unique<EnginesCommand>();
}

}  // namespace roundhouse::host
