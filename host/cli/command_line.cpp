// SPDX-License-Identifier: Apache-2.0
// The one file that knows CLI11.
#include "host/cli/command_line.h"

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string_view>

#include "host/cli/manual.h"
#include "host/cli/text.h"
#include "host/text/list.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr std::size_t kHelpColumn = 32;

// CLI11 hears of a target with its type.
struct AddOption {
  CLI::App& app;
  const Flag& flag;

  CLI::Option* operator()(bool* target) const { return app.add_flag(flag.names, *target, flag.help); }
  CLI::Option* operator()(std::vector<std::string>* target) const {
    return app.add_option(flag.names, *target, flag.help)
        ->type_name(flag.type)
        ->allow_extra_args(flag.rest)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  template <typename Text>
  CLI::Option* operator()(Text* target) const {
    return app.add_option(flag.names, *target, flag.help)->type_name(flag.type);
  }
};

void add_flags(CLI::App& app, const FlagTable& table) {
  for (const Flag& flag : table.flags) {
    CLI::Option* option = std::visit(AddOption{app, flag}, flag.target);
    option->required(flag.required);
    if (!flag.excludes.empty()) option->excludes(app.get_option(flag.excludes));
    if (!flag.group.empty()) option->group(flag.group);
  }
}

void add_command(CLI::App& app, const FlagTable& table) {
  CLI::App* command = app.add_subcommand(table.name, table.description);
  add_flags(*command, table);
  for (const FlagTable& inner : table.commands)
    add_command(*command, inner);
}

void set_given(const CLI::App& app, const FlagTable& table) {
  for (const FlagTable& command : table.commands) {
    const CLI::App* typed = app.get_subcommand(command.name);
    if (!typed->parsed()) continue;
    if (command.given != nullptr) *command.given = true;
    set_given(*typed, command);
  }
}

std::string typed_command(const CLI::App& app) {
  const std::vector<const CLI::App*> commands = app.get_subcommands([](const CLI::App*) { return true; });
  for (const CLI::App* command : commands) {
    if (command->parsed()) return command->get_name();
  }
  return "";
}

std::string help_text(const std::string& text) {
  return wrapped_help(text, kHelpColumn, terminal_width(STDOUT_FILENO));
}

// Of the whole program, or of the command that `words` name: "ps", "bench serve".
std::string help_of(const CLI::App& app, const FlagTable& program, const std::vector<std::string>& words) {
  const CLI::App* command = &app;
  std::string called = program.name;
  const FlagTable* table = &program;
  for (const std::string& word : words) {
    const auto found = std::ranges::find(table->commands, word, &FlagTable::name);
    if (found == table->commands.end()) {
      throw Error(RH_INVALID_ARGUMENT,
                  "command '" + word + "' is not known" +
                      (table->commands.empty() ? "" : ", expected one of: " + command_names(*table)),
                  "see '" + called + " --help'");
    }
    table = &*found;
    command = command->get_subcommand(word);
    called += " " + word;
  }
  return help_text(app.get_formatter()->make_help(command, called, CLI::AppFormatMode::Normal));
}

std::string see_help(const CLI::App& app) {
  const std::string command = typed_command(app);
  return "see 'roundhouse " + (command.empty() ? "" : command + " ") + "--help'";
}

// What CLI11 could not place, as one of ours.
Error extras_error(const CLI::App& app, const FlagTable& program) {
  const std::vector<std::string> extras = app.remaining(true);
  const std::string first = extras.empty() ? "" : extras.front();
  if (first.size() > 1 && first.front() == '-') {
    return {RH_UNKNOWN_OPTION, "option '" + first + "' is not known",
            see_help(app) + "; put -- before text that starts with '-'"};
  }
  if (app.get_subcommands().empty()) {
    return {RH_INVALID_ARGUMENT,
            "command '" + first + "' is not known, expected one of: " + command_names(program),
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
  } else if (constexpr std::string_view kConvert = "Could not convert: "; text.starts_with(kConvert)) {
    const std::string pair = text.substr(kConvert.size());  // "--flag = value"
    const std::size_t equals = pair.find(" = ");
    message = pair.substr(0, equals) + ": '" + (equals == std::string::npos ? "" : pair.substr(equals + 3)) +
              "' is not a value that it takes; a flag without a value means yes";
  } else {
    // CLI11 starts with a capital and may end with a newline or a full stop.
    message = text;
    while (!message.empty() && (message.back() == '\n' || message.back() == '.'))
      message.pop_back();
    if (!message.empty() && message[0] >= 'A' && message[0] <= 'Z') message[0] += 'a' - 'A';
  }
  return {RH_INVALID_ARGUMENT, message, see_help(app)};
}

}  // namespace

std::string command_names(const FlagTable& program) {
  std::vector<std::string> names;
  for (const FlagTable& command : program.commands)
    names.push_back(command.name);
  return joined(names);
}

CommandLine read_command_line(const FlagTable& program, const std::string& version, int argc, char** argv) {
  CLI::App app(program.description, program.name);
  app.get_formatter()->column_width(kHelpColumn);
  app.fallthrough();
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", version, "Print the version and leave");
  add_flags(app, program);
  for (const FlagTable& command : program.commands)
    add_command(app, command);
  std::vector<std::string> topic;
  std::string manual;
  CLI::App* help = app.add_subcommand("help", "Show this help, or that of a command: help generate");
  help->add_option("command", topic, "A command, such as generate")->type_name("COMMAND");
  help->add_option("--man", manual, "Write manual pages of all commands into DIR instead")->type_name("DIR");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    std::ostringstream text;
    app.exit(help, text, text);
    return {typed_command(app), help_text(text.str())};
  } catch (const CLI::ExtrasError&) {
    throw extras_error(app, program);
  } catch (const CLI::ParseError& error) {
    throw parse_error(error, app);
  }
  if (!manual.empty()) {
    const std::size_t pages = write_manual(program, version, manual);
    return {"help", fmt::format("{} manual pages in {}\n", pages, manual)};
  }
  if (typed_command(app) == "help") return {"help", help_of(app, program, topic)};
  set_given(app, program);
  return {typed_command(app), std::nullopt};
}

}  // namespace roundhouse::host
