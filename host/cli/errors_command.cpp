// SPDX-License-Identifier: Apache-2.0
// `roundhouse errors`: the catalogue of everything that can go wrong, and what to do about it.
#include <fmt/format.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "roundhouse/status.hpp"

namespace roundhouse::host {
namespace {

class ErrorsCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("errors", "Print every error code with its exit status and what to do");
    declare_json(command);
    return command;
  }

  int run(const Program&) override {
    if (json()) {
      print_json(catalogue_json());
    } else {
      print(catalogue_text());
    }
    return 0;
  }

 private:
  static OrderedJson catalogue_json() {
    OrderedJson object;
    OrderedJson& errors = object["errors"] = OrderedJson::array();
    for (const StatusInfo& info : status_catalogue) {
      OrderedJson error;
      error["code"] = info.name;
      error["value"] = info.code;
      error["exit_status"] = info.exit_status;
      error["http_status"] = info.http_status;
      error["mover"] = info.mover;
      error["hint"] = info.hint;
      error["sample"] = info.sample;
      errors.push_back(error);
    }
    return object;
  }

  static std::string catalogue_text() {
    const std::size_t width = terminal_width(STDOUT_FILENO);
    std::string text;
    for (const StatusInfo& info : status_catalogue) {
      text += std::string(info.name) + "\n";
      text += labelled("exit, HTTP", fmt::format("{}, {}", info.exit_status, info.http_status), width);
      text += labelled("sample", std::string(info.sample), width);
      text += labelled("what to do", std::string(info.hint) + " (" + std::string(info.mover) + ")", width);
    }
    return text;
  }
};

}  // namespace

std::unique_ptr<Command> make_errors_command() {
  return std::make_unique<ErrorsCommand>();
}

}  // namespace roundhouse::host
