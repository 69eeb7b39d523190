// SPDX-License-Identifier: Apache-2.0
// What a command line may hold: a table of flags for each command. command_line.cpp reads it with CLI11,
// which takes seconds to compile and is included nowhere else.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace roundhouse::host {

// One row of a table.
struct Flag {
  // Where what was typed goes, which says how often it may be typed: once with a value, any number of times
  // with a value each, or without a value.
  using Target = std::variant<std::string*, std::optional<std::string>*, std::vector<std::string>*, bool*>;

  std::string names;  // "-o,--output-dir"; a word without dashes is an argument that stands by itself
  std::string type;   // what --help calls the value: "DIR"
  std::string help;   // with the range and the default
  Target target;
  bool required = false;
  std::string excludes;  // the name of an earlier flag that may not be typed together with this one
  std::string group;     // the heading in --help; empty: Options
  bool rest = false;     // of an argument: all words that are left
};

// A command with its flags. The targets outlive the reading of the command line.
struct FlagTable {
  FlagTable(std::string command, std::string description);

  // Appends a row for the caller to complete. The reference is good as long as the table is.
  Flag& add(std::string names, std::string type, std::string help, Flag::Target target);
  Flag& add(std::string names, std::string help, bool* target);

  std::string name, description;
  std::string group;  // the heading of the flags that are added from now on
  std::deque<Flag> flags;
  std::vector<FlagTable> commands;  // that may follow this one
  bool* given = nullptr;            // set when the command was typed
};

}  // namespace roundhouse::host
