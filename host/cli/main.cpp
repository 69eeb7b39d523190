// SPDX-License-Identifier: Apache-2.0
// The program `roundhouse`: a worker when its parent says so, else the subcommand that was asked for.
#include <algorithm>
#include <csignal>
#include <string_view>

#include "host/cli/command.h"
#include "host/cli/command_line.h"
#include "host/cli/failure.h"
#include "host/cli/interrupt.h"
#include "host/cli/report.h"
#include "host/log/to_error.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

struct Entry {
  std::string name;
  std::unique_ptr<Command> command;
};

// The commands, and in `program` their tables.
std::vector<Entry> make_commands(FlagTable& program) {
  std::vector<Entry> entries;
  for (auto make : {make_generate_command, make_run_command,      make_chat_command,   make_embed_command,
                    make_engines_command,  make_models_command,   make_list_command,   make_show_command,
                    make_import_command,   make_create_command,   make_copy_command,   make_remove_command,
                    make_verify_command,   make_validate_command, make_pack_command,   make_pull_command,
                    make_fetch_command,    make_pin_command,      make_push_command,   make_gc_command,
                    make_clean_command,    make_serve_command,    make_ps_command,     make_stop_command,
                    make_convert_command,  make_quantize_command, make_bench_command,  make_tokenize_command,
                    make_smoke_command,    make_dump_command,     make_parity_command, make_doctor_command,
                    make_errors_command,   make_version_command}) {
    std::unique_ptr<Command> command = make();
    FlagTable& table = program.commands.emplace_back(command->declare());
    entries.push_back({table.name, std::move(command)});
  }
  return entries;
}

void declare_globals(FlagTable& program, GlobalOptions& options) {
  program.add("--engine-path", "DIR",
              "Also look for engine manifests in DIR, before all other places (repeatable)",
              &options.engine_paths);
  program.add("--home", "DIR",
              "Keep models in DIR [default: $ROUNDHOUSE_HOME, $XDG_DATA_HOME/roundhouse or "
              "~/.local/share/roundhouse]",
              &options.home);
  program.add("--log-level", "LEVEL",
              "debug, info, warning or error [default: warning; info with --log-file]", &options.log_level);
  program.add("--log-file", "FILE", "Append the log to FILE as JSON lines", &options.log_file);
}

int run_command(Command& command, const Program& program) {
  try {
    program.log();  // a level or a file that cannot be is refused before any work, by every command
    return command.run(program);
  } catch (const std::exception& exception) {
    const Error error = to_error(exception);
    log_failure(program, error.code(), command.loggable(error.what()));
    return report_error(error, command.json(), command.partial());
  }
}

// --help and --version, which are results like others.
int print_help(const std::string& text, bool json) {
  try {
    print(text);
  } catch (const Error& error) {
    return report_error(error, json);
  }
  return 0;
}

// The line of a command line that could not be read: its words may be a prompt, so the log has none of them.
int refuse_command_line(Program& program, const Error& error, bool json) {
  if (!program.options.log_file) {
    for (char** argument = program.arguments; *argument != nullptr; ++argument) {
      const std::string_view text = *argument;
      constexpr std::string_view kFlag = "--log-file";
      if (text == kFlag && argument[1] != nullptr) program.options.log_file = argument[1];
      if (text.starts_with("--log-file=")) program.options.log_file = text.substr(kFlag.size() + 1);
    }
  }
  log_failure(program, error.code(), "the command line was refused");
  return report_error(error, json);
}

std::filesystem::path executable_path(const char* called_as) {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::absolute(called_as, error) : path;
}

int run_program(int argc, char** argv, std::chrono::steady_clock::time_point start, bool json) {
  Program program;
  program.start = start;
  program.executable = executable_path(argv[0]);
  program.arguments = argv;

  FlagTable table("roundhouse", "Houses generation engines and sends each job to one of them.");
  declare_globals(table, program.options);
  const std::vector<Entry> entries = make_commands(table);
  CommandLine line;
  try {
    line = read_command_line(table, "roundhouse " + program_version(), argc, argv);
  } catch (const Error& error) {
    return refuse_command_line(program, error, json);
  }
  if (line.help) return print_help(*line.help, json);
  for (const Entry& entry : entries) {
    if (entry.name == line.command) return run_command(*entry.command, program);
  }
  return report_error(
      Error(RH_INVALID_ARGUMENT, "no command was given, expected one of: " + command_names(table),
            "see 'roundhouse --help'"),
      false);
}

}  // namespace
}  // namespace roundhouse::host

int main(int argc, char** argv) {
  const auto start = std::chrono::steady_clock::now();
  if (argc > 1 && std::string_view(argv[1]) == "--worker") return roundhouse::host::worker_main(argc, argv);
  // A file that may not grow is an error like a full disk, not the end of the program.
  std::signal(SIGXFSZ, SIG_IGN);
  // A command line that cannot be read sets no flag: look for --json itself.
  const bool json =
      std::any_of(argv, argv + argc, [](const char* text) { return std::string_view(text) == "--json"; });
  roundhouse::host::leave_on_interrupt(json);
  return roundhouse::host::run_program(argc, argv, start, json);
}
