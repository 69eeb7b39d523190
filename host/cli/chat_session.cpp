// SPDX-License-Identifier: Apache-2.0
#include "host/cli/chat_session.h"

#include <fmt/format.h>

#include <algorithm>

#include "host/app/generate.h"
#include "host/cli/interrupt.h"
#include "host/cli/text.h"
#include "host/cli/text_output.h"
#include "host/session/random_seed.h"
#include "host/session/values.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kLongestMessage = std::size_t{64} << 20;

std::string trimmed(const std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

// "temperature 0.5": the first word, and what is behind it.
std::pair<std::string, std::string> first_word(const std::string& text) {
  const std::string all = trimmed(text);
  const auto end = all.find_first_of(" \t");
  if (end == std::string::npos) return {all, ""};
  return {all.substr(0, end), trimmed(all.substr(end))};
}

std::string file_argument(const std::string& command, const std::string& rest) {
  if (rest.empty()) throw Error(RH_INVALID_ARGUMENT, command + ": a file name is missing");
  return rest;
}

}  // namespace

struct ChatSession::Command {
  const char* name;
  const char* values;
  const char* help;
  bool (ChatSession::*run)(const std::string& rest);
};

const std::vector<ChatSession::Command>& ChatSession::commands() {
  static const std::vector<Command> all{
      {"/help", "", "this list", &ChatSession::help},
      {"/set", "[NAME [VALUE]]",
       "one setting of the answers to come; without a value the default; all settings", &ChatSession::set},
      {"/show", "", "which model and engine answer, and how long the talk is", &ChatSession::show},
      {"/clear", "", "forget what was said", &ChatSession::clear},
      {"/save", "FILE", "write the talk into a file", &ChatSession::save},
      {"/load", "FILE", "go on with the talk in a file", &ChatSession::load},
      {"/image", "PROMPT", "draw an image and say where it is", &ChatSession::image},
      {"/bye", "", "end", &ChatSession::bye},
  };
  return all;
}

ChatSession::ChatSession(const Program& program, ChatFlags& flags)
    : program_(program),
      flags_(flags),
      engines_(program, flags, false),
      models_(program.models()),
      registry_([this] { return discover(program_.engine_directories()); },
                [this](Registry& registry) {
                  read_rates(registry, program_.rate_cache(), engines_.client().threads);
                }) {
  engines_.begin(flags.model);
  const ModelChoice choice = read_text_flags(flags_);
  const Placement placement = engines_.plan(
      [&] { return place_text_model(choice, "text-generation", engines_.registry(), models_); });
  engines_.prepare_process(placement, nullptr);
  engines_.explain();
  model_ = worker_name(placement);
  engine_ = placement.engine;
  if (flags_.system) conversation_.set_system(*flags_.system);
  PoolLimits limits;
  limits.keep_alive = kForever;
  pool_ = std::make_unique<ModelPool>(registry_, engines_.client(), limits, engines_.factory());
  runner_ = std::make_unique<TextRunner>(*pool_);
}

bool ChatSession::take(const std::string& text) {
  if (text.starts_with('/')) return command(text);
  if (!trimmed(text).empty()) answer(text);
  return true;
}

TextPlan ChatSession::plan() {
  TextRequest request = read_text_flags(flags_);
  request.messages = conversation_.messages();
  return make_text_plan(request, engines_.registry(), models_, random_seed);
}

// What was written before Ctrl-C stays a part of the talk, as both have read it.
void ChatSession::answer(const std::string& text) {
  check_text("message", text, kLongestMessage);
  conversation_.add_user(text);
  AnswerStream stream;
  TextRunEvents events;
  events.piece = [&](const TextPiece& piece) { stream.write(piece); };
  TextAnswer partial;
  try {
    const TextPlan planned = plan();
    const TextAnswer answer =
        complete_text(planned, *runner_, std::nullopt, watch_interrupts(), events, &partial);
    stream.finish();
    conversation_.add_answer(answer);
    last_ = answer.run.text;
    for (const std::string& note : answer.run.lease.notes) {
      if (told_.insert(note).second) print_notes({note});
    }
    if (flags_.timings) print_notes({timings_line(answer)});
  } catch (const Error& error) {
    stream.finish();
    if (error.code() == RH_CANCELLED && !partial.answer.empty())
      conversation_.add_answer(partial);
    else
      conversation_.drop_last_turn();
    throw;
  }
}

bool ChatSession::command(const std::string& line) {
  const auto [name, rest] = first_word(line);
  const auto found = std::ranges::find(commands(), name, &Command::name);
  if (found == commands().end()) {
    throw Error(RH_INVALID_ARGUMENT, "command '" + name + "' is not known",
                "/help lists them; put a blank before a message that starts with '/'");
  }
  return (this->*found->run)(rest);
}

bool ChatSession::help(const std::string& /*rest*/) {
  std::string text;
  for (const Command& one : commands())
    text += fmt::format("{:<24}{}\n", fmt::format("{} {}", one.name, one.values), one.help);
  print(text +
        "A message of several lines begins and ends with \"\"\". Ctrl-C ends an answer, Ctrl-D the talk.\n");
  return true;
}

bool ChatSession::set_thinking(const std::string& word) {
  flags_.think = word == "on";
  flags_.no_think = word == "off";
  if (flags_.think || flags_.no_think || word.empty()) return true;
  throw Error(RH_INVALID_ARGUMENT, "/set think: '" + word + "' is not known, expected on, off or nothing");
}

bool ChatSession::set(const std::string& rest) {
  const auto [name, value] = first_word(rest);
  if (name == "think") return set_thinking(value);
  if (name.empty()) {
    std::string text;
    for (const auto& [setting, current] : text_flag_values(flags_))
      text += fmt::format("{:<20}{}\n", setting, current.value_or("(default)"));
    print(text + fmt::format("{:<20}{}\n", "think",
                             flags_.think      ? "on"
                             : flags_.no_think ? "off"
                                               : "(default)"));
    return true;
  }
  const ChatFlags before = flags_;
  if (!set_text_flag(flags_, name, value))
    throw Error(RH_INVALID_ARGUMENT, "/set: '" + name + "' is not known", "/set without a name lists all");
  try {
    TextRequest request = read_text_flags(flags_);
    request.prompt = "";
    check_text_values(request);
  } catch (const Error&) {
    flags_ = before;
    throw;
  }
  if (name == "system") conversation_.set_system(value);
  return true;
}

bool ChatSession::show(const std::string& /*rest*/) {
  std::string text =
      fmt::format("model     {}\nengine    {}\nmessages  {}\n", model_, engine_, conversation_.size());
  if (last_)
    text += fmt::format("tokens    {} read, {} written last\n", last_->prompt_tokens, last_->answer_tokens);
  print(text);
  return true;
}

bool ChatSession::clear(const std::string& /*rest*/) {
  conversation_.clear();
  last_.reset();
  return true;
}

bool ChatSession::save(const std::string& rest) {
  conversation_.save(file_argument("/save", rest), model_);
  return true;
}

bool ChatSession::load(const std::string& rest) {
  conversation_ = Conversation::load(file_argument("/load", rest));
  print(fmt::format("{} messages\n", conversation_.size()));
  return true;
}

bool ChatSession::image(const std::string& rest) {
  GenerateRequest request;
  request.prompt = rest;
  request.model = flags_.image_model;
  const GeneratePlan planned = make_plan(request, engines_.registry(), models_, random_seed);
  GenerateEvents events;
  events.saved = [](const SavedImage& image) { print(image.file.string() + "\n"); };
  const SaveOptions options{flags_.output_directory, "chat", std::chrono::system_clock::now(), {}, true,
                            program_version()};
  print_notes(generate_files(planned, *pool_, options, watch_interrupts(), events).notes);
  return true;
}

bool ChatSession::bye(const std::string& /*rest*/) {
  return false;
}

}  // namespace roundhouse::host
