// SPDX-License-Identifier: Apache-2.0
// The program `roundhouse`: a worker when its parent says so, else the subcommand that was asked for.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <new>
#include <string_view>

#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

struct Entry {
  std::unique_ptr<Command> command;
  CLI::App* app = nullptr;
};

std::vector<Entry> make_commands() {
  std::vector<Entry> entries;
  for (auto make : {make_generate_command, make_engines_command, make_models_command, make_bench_command,
                    make_doctor_command, make_errors_command, make_version_command}) {
    entries.push_back({make(), nullptr});
  }
  return entries;
}

void declare_globals(CLI::App& app, GlobalOptions& options) {
  app.set_version_flag("--version", "roundhouse " + program_version(), "Print the version and leave");
  app.add_option("--engine-path", options.engine_paths,
                 "Also look for engine manifests in DIR, before all other places (repeatable)")
      ->type_name("DIR")
      ->allow_extra_args(false)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--log-level", options.log_level,
                 "debug, info, warning or error [default: warning; info with --log-file]")
      ->type_name("LEVEL");
  app.add_option("--log-file", options.log_file, "Append the log to FILE as JSON lines")->type_name("FILE");
}

std::string command_names(const std::vector<Entry>& entries) {
  std::vector<std::string> names;
  for (const Entry& entry : entries)
    names.push_back(entry.app->get_name());
  return join(names, ", ");
}

// What CLI11 could not place, as one of ours.
Error extras_error(const CLI::App& app, const std::vector<Entry>& entries) {
  const std::vector<std::string> extras = app.remaining(true);
  const std::string first = extras.empty() ? "" : extras.front();
  if (first.size() > 1 && first.front() == '-') {
    return {
        RH_UNKNOWN_OPTION, "option '" + first + "' is not known",
        "see 'roundhouse --help' and 'roundhouse COMMAND --help'; put -- before text that starts with '-'"};
  }
  if (app.get_subcommands().empty()) {
    return {RH_INVALID_ARGUMENT,
            "command '" + first + "' is not known, expected one of: " + command_names(entries),
            "see 'roundhouse --help'"};
  }
  return {RH_INVALID_ARGUMENT, "argument '" + first + "' is one too many",
          "put quotes around a text with spaces"};
}

Error parse_error(const CLI::ParseError& error) {
  std::string message = error.what();
  // CLI11 starts with a capital and may end with a newline or a full stop.
  while (!message.empty() && (message.back() == '\n' || message.back() == '.'))
    message.pop_back();
  return {RH_INVALID_ARGUMENT, message, "see 'roundhouse COMMAND --help'"};
}

int run_command(const std::vector<Entry>& entries, const Program& program) {
  for (const Entry& entry : entries) {
    if (!entry.app->parsed()) continue;
    try {
      return entry.command->run(program);
    } catch (const Error& error) {
      return report_error(error, entry.command->json());
    } catch (const std::bad_alloc&) {
      return report_error(Error(RH_OUT_OF_MEMORY, "the program itself found no memory"),
                          entry.command->json());
    } catch (const std::exception& error) {
      return report_error(Error(RH_INTERNAL, std::string("unexpected exception: ") + error.what()),
                          entry.command->json());
    }
  }
  return report_error(
      Error(RH_INVALID_ARGUMENT, "no command was given, expected one of: " + command_names(entries),
            "see 'roundhouse --help'"),
      false);
}

std::filesystem::path executable_path(const char* called_as) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::absolute(called_as, error) : path;
}

int run_program(int argc, char** argv, std::chrono::steady_clock::time_point start) {
  Program program;
  program.start = start;
  program.executable = executable_path(argv[0]);
  program.arguments = argv;

  CLI::App app("Houses generation engines and sends each job to one of them.", "roundhouse");
  app.get_formatter()->column_width(32);
  app.fallthrough();
  app.require_subcommand(0, 1);
  declare_globals(app, program.options);
  std::vector<Entry> entries = make_commands();
  for (Entry& entry : entries)
    entry.app = entry.command->declare(app);

  // A command line that could not be read has set no flag: look for --json itself.
  const bool json =
      std::any_of(argv, argv + argc, [](const char* text) { return std::string_view(text) == "--json"; });
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {  // --help, --version
    return app.exit(help);
  } catch (const CLI::ExtrasError&) {
    return report_error(extras_error(app, entries), json);
  } catch (const CLI::ParseError& error) {
    return report_error(parse_error(error), json);
  }
  return run_command(entries, program);
}

}  // namespace
}  // namespace roundhouse::host

int main(int argc, char** argv) {
  const auto start = std::chrono::steady_clock::now();
  if (argc > 1 && std::string_view(argv[1]) == "--worker") return roundhouse::host::worker_main(argc, argv);
  roundhouse::host::leave_on_interrupt();
  return roundhouse::host::run_program(argc, argv, start);
}
