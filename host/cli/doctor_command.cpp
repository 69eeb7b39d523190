// SPDX-License-Identifier: Apache-2.0
// `roundhouse doctor`: whether this machine and this installation are fit, and what to do where not.
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/doctor_findings.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

class DoctorCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("doctor", "Look at the machine and the installation, with a hint for each problem");
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const Findings findings = examine(program);
    const bool sound = std::none_of(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.level == Finding::Level::error;
    });
    if (json()) {
      print_as_json(findings, sound);
    } else {
      print_as_text(findings);
    }
    return sound ? 0 : 1;
  }

 private:
  static Findings examine(const Program& program) {
    Registry registry = program.registry();
    probe_all(registry, ClientOptions{});
    measure_rates(registry, program.rate_cache(), ClientOptions{});
    const Machine machine = inspect_machine();
    Findings all;
    for (const Findings& some :
         {processor_findings(machine), memory_findings(machine), openblas_findings(registry),
          engine_findings(program, registry), model_findings(program.models()), directory_findings(program),
          daemon_findings(), locale_findings()}) {
      all.insert(all.end(), some.begin(), some.end());
    }
    return all;
  }

  static void print_as_json(const Findings& findings, bool sound) {
    OrderedJson object;
    object["version"] = program_version();
    object["ok"] = sound;
    object["findings"] = OrderedJson::array();
    for (const Finding& finding : findings) {
      object["findings"].push_back({{"subject", finding.subject},
                                    {"level", level_name(finding.level)},
                                    {"text", finding.text},
                                    {"hint", finding.hint}});
    }
    print_json(object);
  }

  static void print_as_text(const Findings& findings) {
    const std::size_t width = terminal_width(STDOUT_FILENO);
    std::string text = "roundhouse " + program_version() + "\n";
    for (const Finding& finding : findings) {
      text += labelled(level_name(finding.level), finding.subject + ": " + finding.text, width);
      if (!finding.hint.empty()) text += labelled("", "-> " + finding.hint, width);
    }
    print(text);
  }
};

}  // namespace

std::unique_ptr<Command> make_doctor_command() {
  return std::make_unique<DoctorCommand>();
}

}  // namespace roundhouse::host
