// SPDX-License-Identifier: Apache-2.0
// `roundhouse tokenize`: the ids that an engine makes of a text before it computes anything.
#include <fmt/format.h>

#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/worker/ops/tokenize.h"

namespace roundhouse::host {
namespace {

struct TokenizeFlags {
  std::string model;
  std::optional<std::string> text, engine;
  bool json_lines = false, no_special = false;
};

std::string text_in_line(const std::string& line, std::uint64_t number) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (json.is_string()) return json.get<std::string>();
  throw Error(RH_INVALID_ARGUMENT, fmt::format("standard input: line {} is not a JSON string", number),
              "write one JSON string a line, such as \"a red mushroom\"");
}

class TokenizeCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("tokenize", "Print the token ids of a text, as an engine makes them for a model");
    command.add("text", "TEXT", "The text [default: all of standard input]", &flags_.text);
    command
        .add("--model", "NAME|DIR",
             "A model by name, or a directory (with a '/'), which may hold a tokenizer alone", &flags_.model)
        .required = true;
    command
        .add("--json-lines",
             "Read one JSON string a line from standard input, and print one array of ids a line",
             &flags_.json_lines)
        .excludes = "text";
    command.add("--no-special", "Without the ids that the tokenizer puts around every text",
                &flags_.no_special);
    command.add("--engine", "ID", "The engine that tokenizes [default: the first that can]", &flags_.engine);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const TokenizeTask task{directory(program), !flags_.no_special};
    Registry registry = program.registry();
    choose(registry, task);
    if (flags_.json_lines) return run_lines(task);
    const std::string text =
        flags_.text ? *flags_.text
                    : std::string(std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>());
    const auto ids = tokenize(*client_, task, text);
    if (json())
      print_json({{"ids", ids}});
    else
      print(fmt::format("{}\n", fmt::join(ids, " ")));
    return 0;
  }

  std::string loggable(const std::string& message) const override {
    return flags_.text && !flags_.text->empty() && message.find(*flags_.text) != std::string::npos
               ? "(a message with the text)"
               : message;
  }

 private:
  // Of a model by name, or as given: it need not hold a model.
  std::filesystem::path directory(const Program& program) const {
    std::error_code unreadable;
    const std::filesystem::path given = flags_.model;
    if (flags_.model.find('/') != std::string::npos && std::filesystem::exists(given, unreadable))
      return std::filesystem::absolute(given);
    const ResolvedModel model = program.models().resolve(flags_.model);
    require_present(model);
    return std::filesystem::absolute(model.directory);
  }

  // The engine that was named, or the first that has a tokenizer: it is asked for the ids of nothing.
  void choose(const Registry& registry, const TokenizeTask& task) {
    std::optional<Error> reason;
    for (const EngineRecord& record : registry.records()) {
      const bool usable = record.state == EngineState::listed || record.state == EngineState::available;
      if (flags_.engine ? record.id != *flags_.engine : !usable) continue;
      if (!record.manifest) continue;
      client_ = make_worker_client(*record.manifest, {});
      try {
        tokenize(*client_, task, "");
        return;
      } catch (const Error& error) {
        if (error.code() != RH_CAPABILITY_UNSUPPORTED || flags_.engine) throw;
        reason = error;
      }
    }
    if (flags_.engine && !reason)
      throw Error(RH_ENGINE_NOT_FOUND, fmt::format("engine '{}' was not found", *flags_.engine),
                  "list engines with: roundhouse engines");
    throw reason.value_or(Error(RH_ENGINE_NOT_FOUND, "no engine was found that tokenizes"));
  }

  int run_lines(const TokenizeTask& task) {
    std::string line;
    for (std::uint64_t number = 1; std::getline(std::cin, line); ++number) {
      const auto ids = tokenize(*client_, task, text_in_line(line, number));
      print(fmt::format("[{}]\n", fmt::join(ids, ",")));
    }
    return 0;
  }

  TokenizeFlags flags_;
  std::unique_ptr<EngineClient> client_;
};

}  // namespace

std::unique_ptr<Command> make_tokenize_command() {
  return std::make_unique<TokenizeCommand>();
}

}  // namespace roundhouse::host
