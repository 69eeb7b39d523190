// SPDX-License-Identifier: Apache-2.0
// `roundhouse engines`: every candidate that was found, what it can do, and why not when it cannot.
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "host/registry/record_json.h"
#include "host/text/list.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

std::string in_use(const EngineRecord& record) {
  if (!record.report) return joined(capability_values(stated_capabilities(record), "device"));
  std::vector<std::string> parts;
  const std::string device = engine_fact(record, "device").value_or("");
  if (!device.empty()) parts.push_back(device);
  for (const auto& [key, value] : record.report->facts) {
    if (key == "device") continue;
    parts.push_back(key == "threads" ? value + (value == "1" ? " thread" : " threads") : key + " " + value);
  }
  return joined(parts);
}

std::string record_text(const EngineRecord& record, std::size_t width) {
  const EngineDescription about = describe(record);
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
  line("does", joined(capability_values(capabilities, "task")));
  line("models", joined(capability_values(capabilities, "architecture")));
  line("weights", joined(capability_values(capabilities, "dtype")));
  line("features", joined(capability_values(capabilities, "feature")));
  line("samplers", joined(capability_values(capabilities, "sampler")));
  line("runs on", in_use(record));
  for (const std::string& difference : record.differences)
    line("differs", difference);
  line("GFLOP/s", rates_text(record));
  for (const std::string& remark : remarks_of(record))
    line("remark", remark);
  line("manifest", record.manifest_file.string() + " (" + record.origin + ")");
  return text;
}

class EnginesCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("engines",
                      "List every engine that was found, what it can do, and what is wrong with it");
    command.add("--no-probe", "Read the manifests only; load nothing", &no_probe_);
    command.add("--measure", "Measure afresh how fast each engine multiplies here", &measure_);
    declare_json(command);
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
      measure_rates(registry, program.rate_cache(), options, {.engines = {}, .afresh = measure_});
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
      object["engines"].push_back(engine_json(record));
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

  bool no_probe_ = false, measure_ = false;
};

}  // namespace

std::unique_ptr<Command> make_engines_command() {
  return std::make_unique<EnginesCommand>();
}

}  // namespace roundhouse::host
