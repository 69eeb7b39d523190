// SPDX-License-Identifier: Apache-2.0
// The program `roundhouse`: a worker when its parent says so, else the subcommand that was asked for.
#include <algorithm>
#include <csignal>
#include <sstream>
#include <string_view>

#include "host/cli/command.h"
#include "host/cli/failure.h"
#include "host/cli/interrupt.h"
#include "host/cli/report.h"
#include "host/cli/text.h"
#include "host/log/to_error.h"
#include "host/worker/engine_client.h"

namespace roundhouse::host {
namespace {

struct Entry {
  std::unique_ptr<Command> command;
  CLI::App* app = nullptr;
};

std::vector<Entry> make_commands() {
  std::vector<Entry> entries;
  for (auto make : {make_generate_command, make_engines_command, make_models_command,   make_list_command,
                    make_show_command,     make_import_command,  make_create_command,   make_copy_command,
                    make_remove_command,   make_verify_command,  make_validate_command, make_pack_command,
                    make_pull_command,     make_push_command,    make_gc_command,       make_clean_command,
                    make_serve_command,    make_ps_command,      make_stop_command,     make_convert_command,
                    make_quantize_command, make_bench_command,   make_doctor_command,   make_errors_command,
                    make_version_command}) {
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
  app.add_option("--home", options.home,
                 "Keep models in DIR [default: $ROUNDHOUSE_HOME, $XDG_DATA_HOME/roundhouse or "
                 "~/.local/share/roundhouse]")
      ->type_name("DIR");
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

std::string see_help(const CLI::App& app) {
  const std::vector<const CLI::App*> commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) {
    if (command->parsed()) return "see 'roundhouse " + command->get_name() + " --help'";
  }
  return "see 'roundhouse --help'";
}

// What CLI11 could not place, as one of ours.
Error extras_error(const CLI::App& app, const std::vector<Entry>& entries) {
  const std::vector<std::string> extras = app.remaining(true);
  const std::string first = extras.empty() ? "" : extras.front();
  if (first.size() > 1 && first.front() == '-') {
    return {RH_UNKNOWN_OPTION, "option '" + first + "' is not known",
            see_help(app) + "; put -- before text that starts with '-'"};
  }
  if (app.get_subcommands().empty()) {
    return {RH_INVALID_ARGUMENT,
            "command '" + first + "' is not known, expected one of: " + command_names(entries),
            see_help(app)};
  }
  return {RH_INVALID_ARGUMENT, "argument '" + first + "' is one too many",
          "put quotes around a text with spaces"};
}

// "NAME: " and what is wrong, in CLI11's words, as one of ours.
Error parse_error(const CLI::ParseError& error, const CLI::App& app) {
  const std::string text = error.what();
  const auto name_before = [&](std::string_view words) { return text.substr(0, text.find(words)); };
  constexpr std::string_view kTwice = ": At Most 1 required but received ";
  constexpr std::string_view kMissing = ": 1 required ";
  constexpr std::string_view kEnd = " missing";
  std::string message;
  if (const auto at = text.find(kTwice); at != std::string::npos) {
    message = name_before(kTwice) + ": given " + text.substr(at + kTwice.size()) + " times, expected once";
  } else if (const auto type = text.find(kMissing); type != std::string::npos && text.ends_with(kEnd)) {
    const std::size_t begin = type + kMissing.size();
    message = name_before(kMissing) + ": a value is missing, expected " +
              text.substr(begin, text.size() - kEnd.size() - begin);
  } else {
    // CLI11 starts with a capital and may end with a newline or a full stop.
    message = text;
    while (!message.empty() && (message.back() == '\n' || message.back() == '.'))
      message.pop_back();
    if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z') message[0] += 'a' - 'A';
  }
  return {RH_INVALID_ARGUMENT, message, see_help(app)};
}

int run_command(const std::vector<Entry>& entries, const Program& program) {
  for (const Entry& entry : entries) {
    if (!entry.app->parsed()) continue;
    try {
      program.log();  // a level or a file that cannot be is refused before any work, by every command
      return entry.command->run(program);
    } catch (const std::exception& exception) {
      const Error error = to_error(exception);
      log_failure(program, error.code(), entry.command->loggable(error.what()));
      return report_error(error, entry.command->json(), entry.command->partial());
    }
  }
  return report_error(
      Error(RH_INVALID_ARGUMENT, "no command was given, expected one of: " + command_names(entries),
            "see 'roundhouse --help'"),
      false);
}

// --help and --version, which are results like others.
int print_help(const CLI::App& app, const CLI::Success& help, bool json) {
  std::ostringstream text;
  app.exit(help, text, text);
  try {
    print(text.str());
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

  CLI::App app("Houses generation engines and sends each job to one of them.", "roundhouse");
  app.get_formatter()->column_width(32);
  app.fallthrough();
  app.require_subcommand(0, 1);
  declare_globals(app, program.options);
  std::vector<Entry> entries = make_commands();
  for (Entry& entry : entries)
    entry.app = entry.command->declare(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return print_help(app, help, json);
  } catch (const CLI::ExtrasError&) {
    return refuse_command_line(program, extras_error(app, entries), json);
  } catch (const CLI::ParseError& error) {
    return refuse_command_line(program, parse_error(error, app), json);
  }
  return run_command(entries, program);
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
