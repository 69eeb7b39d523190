// SPDX-License-Identifier: Apache-2.0
// roff with the macros of man(7).
#include "host/cli/manual.h"

#include <fmt/format.h>

#include <fstream>

#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

std::string escaped(const std::string& text) {
  std::string roff;
  for (const char c : text) {
    if (c == '\\')
      roff += "\\e";
    else if (c == '-')
      roff += "\\-";
    else
      roff += c;
  }
  if (roff.starts_with('.') || roff.starts_with('\'')) roff.insert(0, "\\&");
  return roff + "\n";
}

std::string heading(const std::string& name, const std::string& version) {
  std::string upper = name;
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return fmt::format(".TH {} 1 \"\" \"{}\" \"Roundhouse\"\n", upper, version);
}

bool is_argument(const Flag& flag) {
  return !flag.names.starts_with('-');
}

std::string entry(const Flag& flag) {
  const std::string type = flag.type.empty() || is_argument(flag) ? "" : " " + flag.type;
  return ".TP\n.B " + escaped((is_argument(flag) ? flag.type : flag.names) + type) + escaped(flag.help);
}

std::string flags_of(const FlagTable& table) {
  std::string arguments, options;
  for (const Flag& flag : table.flags)
    (is_argument(flag) ? arguments : options) += entry(flag);
  return (arguments.empty() ? "" : ".SH ARGUMENTS\n" + arguments) +
         (options.empty() ? "" : ".SH OPTIONS\n" + options);
}

std::string synopsis(const FlagTable& table, const std::string& called) {
  std::string line = called + " [OPTIONS]";
  for (const Flag& flag : table.flags) {
    if (is_argument(flag)) line += flag.required ? " " + flag.type : " [" + flag.type + "]";
  }
  return ".SH SYNOPSIS\n.B " + escaped(line);
}

std::string command_page(const FlagTable& command, const std::string& version) {
  std::string page = heading("roundhouse-" + command.name, version);
  page += ".SH NAME\n" + escaped("roundhouse-" + command.name + " - " + command.description);
  page += synopsis(command, "roundhouse " + command.name) + flags_of(command);
  for (const FlagTable& inner : command.commands) {
    page += ".SH " + escaped(command.name + " " + inner.name) + escaped(inner.description);
    for (const Flag& flag : inner.flags)
      page += entry(flag);
  }
  return page + ".SH SEE ALSO\n.BR roundhouse (1)\n";
}

std::string exit_statuses() {
  struct Status {
    int number;
    const char* meaning;
  };
  std::string text = ".SH EXIT STATUS\n";
  for (const Status& status :
       {Status{0, "done"}, Status{1, "a mistake in Roundhouse, or a finding of doctor"},
        Status{2, "the request is wrong"}, Status{3, "not possible here"}, Status{4, "not found"},
        Status{5, "a file is damaged"}, Status{6, "an engine failed"}, Status{7, "memory, disk, time"},
        Status{8, "a remote source"}, Status{130, "ended by SIGINT (Ctrl-C)"},
        Status{143, "ended by SIGTERM"}})
    text += fmt::format(".TP\n.B {}\n{}", status.number, escaped(status.meaning));
  return text;
}

std::string program_page(const FlagTable& program, const std::string& version) {
  std::string page = heading("roundhouse", version);
  page += ".SH NAME\n" + escaped("roundhouse - " + program.description);
  page +=
      ".SH SYNOPSIS\n.B " + escaped("roundhouse COMMAND [OPTIONS]") + flags_of(program) + ".SH COMMANDS\n";
  for (const FlagTable& command : program.commands)
    page += fmt::format(".TP\n.BR roundhouse\\-{} (1)\n{}", command.name, escaped(command.description));
  page += exit_statuses();
  page += ".SH FILES\n.TP\n.I ~/.local/share/roundhouse\nThe home: models, engines, config.json, logs.\n";
  page +=
      ".TP\n.I " + escaped("PREFIX/" ROUNDHOUSE_DOCDIR) + "README.md, docs, examples, config.example.json.\n";
  return page;
}

void write_page(const std::filesystem::path& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary);
  stream << text;
  stream.close();
  if (!stream) throw Error(RH_IO_ERROR, "manual page '" + file.string() + "': cannot be written");
}

}  // namespace

std::size_t write_manual(const FlagTable& program, const std::string& version,
                         const std::filesystem::path& directory) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  write_page(directory / "roundhouse.1", program_page(program, version));
  for (const FlagTable& command : program.commands)
    write_page(directory / ("roundhouse-" + command.name + ".1"), command_page(command, version));
  return 1 + program.commands.size();
}

}  // namespace roundhouse::host
