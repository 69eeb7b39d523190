// SPDX-License-Identifier: Apache-2.0
#include "host/cli/text_flags.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>

#include "host/cli/arguments.h"
#include "host/log/terminal_text.h"
#include "host/store/small_file.h"
#include "host/text/json_depth.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

using Text = std::optional<std::string>;

// Flags with one value, as the command line and `/set` know them.
struct TextFlag {
  const char* name;
  const char* type;
  const char* help;
  Text TextFlags::*value;
};

constexpr std::array kTextFlags{
    TextFlag{"system", "TEXT", "What the model is to be or do [default: the model's own]",
             &TextFlags::system},
    TextFlag{
        "format", "json|FILE",
        "Hold the answer to a form: any JSON object, the JSON schema in FILE, or the grammar in FILE.gbnf",
        &TextFlags::format},
    TextFlag{"max-tokens", "N", "At most so many tokens of answer [default: the model's, else no limit]",
             &TextFlags::max_tokens},
    TextFlag{"context", "N", "The window in tokens [default: the model's]", &TextFlags::context},
    TextFlag{"temperature", "X",
             "0 to 100; 0 always takes the likeliest token [default: the model's, else 0.7]",
             &TextFlags::temperature},
    TextFlag{"top-k", "N", "Only the N likeliest tokens; 0 is off [default: the model's, else 0]",
             &TextFlags::top_k},
    TextFlag{"top-p", "X",
             "Only the likeliest tokens up to this probability; 1 is off [default: the model's, else 0.95]",
             &TextFlags::top_p},
    TextFlag{"min-p", "X",
             "Only tokens of at least this share of the likeliest one's probability [default: 0]",
             &TextFlags::min_p},
    TextFlag{"typical-p", "X", "Locally typical tokens up to this probability; 1 is off [default: 1]",
             &TextFlags::typical_p},
    TextFlag{"repeat-penalty", "X", "Above 1 holds back tokens that are there [default: the model's, else 1]",
             &TextFlags::repeat_penalty},
    TextFlag{"presence-penalty", "X", "-100 to 100 [default: 0]", &TextFlags::presence_penalty},
    TextFlag{"frequency-penalty", "X", "-100 to 100 [default: 0]", &TextFlags::frequency_penalty},
    TextFlag{"seed", "N", "0 or more; -1 is random [default: -1]", &TextFlags::seed},
};

// What the engines' own check allows.
constexpr int kDeepestSchema = 200;

std::string small_text(const std::string& file) {
  const auto text = read_small_file(file, file, std::size_t{4} << 20);
  if (!text) throw Error(RH_IO_ERROR, "--format: file '" + file + "' is not there");
  return *text;
}

std::string response_format(const std::string& word) {
  if (word == "json") return R"({"type":"json_object"})";
  const std::string text = small_text(word);
  if (!is_utf8(text)) throw Error(RH_INVALID_ARGUMENT, "--format: file '" + word + "' is not UTF-8");
  nlohmann::ordered_json format;
  if (word.ends_with(".gbnf")) {
    format = {{"type", "grammar"}, {"grammar", text}};
  } else {
    if (nests_deeper(text, kDeepestSchema))
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("--format: file '{}' is nested more than {} deep", word, kDeepestSchema));
    auto schema = nlohmann::ordered_json::parse(text, nullptr, false);
    if (!schema.is_object())
      throw Error(RH_INVALID_ARGUMENT, "--format: file '" + word + "' is not a JSON schema");
    format = {{"type", "json_schema"}, {"schema", std::move(schema)}};
  }
  return json_text(format);
}

}  // namespace

void declare_text_flags(FlagTable& command, TextFlags& flags) {
  command.group = "Answer";
  for (const TextFlag& flag : kTextFlags)
    command.add("--" + std::string(flag.name), flag.type, flag.help, &(flags.*flag.value));
  command.add("--stop", "TEXT", "End the answer before TEXT (repeatable) [default: the model's]",
              &flags.stops);
  command.add("--think", "Have the model reason first, where its template knows how", &flags.think);
  command.add("--no-think", "Have it answer at once", &flags.no_think).excludes = "--think";
  command.add("--shift", "At the end of the window drop the oldest tokens, instead of ending the answer",
              &flags.shift);
}

TextRequest read_text_flags(const TextFlags& flags) {
  TextRequest request;
  read_engine_flags(flags, request);
  const auto number = [](const char* name, const Text& text) { return parse_number(name, text, "a number"); };
  const auto integer = [](const char* name, const Text& text) {
    return parse_integer(name, text, "a whole number");
  };
  request.temperature = number("--temperature", flags.temperature);
  request.top_k = integer("--top-k", flags.top_k);
  request.top_p = number("--top-p", flags.top_p);
  request.min_p = number("--min-p", flags.min_p);
  request.typical_p = number("--typical-p", flags.typical_p);
  request.repetition_penalty = number("--repeat-penalty", flags.repeat_penalty);
  request.presence_penalty = number("--presence-penalty", flags.presence_penalty);
  request.frequency_penalty = number("--frequency-penalty", flags.frequency_penalty);
  request.seed = integer("--seed", flags.seed);
  request.max_tokens = integer("--max-tokens", flags.max_tokens);
  request.window = integer("--context", flags.context);
  if (!flags.stops.empty()) request.stops = flags.stops;
  if (flags.format) request.response_format = response_format(*flags.format);
  if (flags.think) request.template_variables = R"({"enable_thinking":true})";
  if (flags.no_think) request.template_variables = R"({"enable_thinking":false})";
  request.shift = flags.shift;
  return request;
}

bool set_text_flag(TextFlags& flags, const std::string& name, const std::string& value) {
  for (const TextFlag& flag : kTextFlags) {
    if (name != flag.name) continue;
    flags.*flag.value = value.empty() ? std::nullopt : Text(value);
    return true;
  }
  return false;
}

std::vector<std::pair<std::string, std::optional<std::string>>> text_flag_values(const TextFlags& flags) {
  std::vector<std::pair<std::string, Text>> values;
  for (const TextFlag& flag : kTextFlags)
    values.emplace_back(flag.name, flags.*flag.value);
  return values;
}

}  // namespace roundhouse::host
