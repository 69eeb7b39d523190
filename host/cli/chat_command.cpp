// SPDX-License-Identifier: Apache-2.0
// `roundhouse chat`: a talk with a model.
#include <csignal>

#include "host/cli/chat_session.h"
#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/line_editor.h"
#include "host/cli/text_output.h"

namespace roundhouse::host {
namespace {

constexpr std::string_view kFence = "\"\"\"";

// $XDG_STATE_HOME/roundhouse/chat_history or ~/.local/state/roundhouse/chat_history.
std::filesystem::path history_file() {
  const auto absolute = [](const char* name) {
    const std::filesystem::path path = environment_variable(name).value_or("");
    return path.is_absolute() ? path : std::filesystem::path();
  };
  std::filesystem::path state = absolute("XDG_STATE_HOME");
  if (state.empty() && !absolute("HOME").empty()) state = absolute("HOME") / ".local" / "state";
  return state.empty() ? state : state / "roundhouse" / "chat_history";
}

class ChatCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("chat", "Talk with a model");
    command.add("MODEL", "", "A model by name, or a directory (with a '/')", &flags_.model).required = true;
    declare_text_flags(command, flags_);
    command.group = "Run";
    declare_engine_flags(command, flags_, "answer");
    command.add("--image-model", "NAME|DIR", "What draws for /image [default: pocket-turbo]",
                &flags_.image_model);
    command.add("-o,--output-dir", "DIR", "Where images go [default: output]", &flags_.output_directory);
    command.add("--no-history", "Keep no lines for the next time", &flags_.no_history);
    command.add("--timings", "Say after each answer how fast it was", &flags_.timings);
    return command;
  }

  int run(const Program& program) override {
    watch_interrupts();
    ChatSession session(program, flags_);
    LineEditor editor(flags_.no_history ? std::filesystem::path() : history_file());
    if (editor.on_terminal()) print("/help lists commands, /bye ends.\n");
    try {
      return talk(session, editor);
    } catch (const BrokenPipe&) {
      return 128 + SIGPIPE;
    }
  }

  // What is typed is a prompt.
  std::string loggable(const std::string& /*message*/) const override {
    return "the talk ended with an error";
  }

 private:
  // At a terminal errors are told and the talk goes on; a script's last one is the exit status.
  int talk(ChatSession& session, LineEditor& editor) {
    int status = 0;
    for (;;) {
      const auto text = read_message(editor);
      if (take_interrupt()) continue;
      if (interrupt_noted()) return interrupted_status();
      if (!text) return status;
      try {
        if (!session.take(*text)) return status;
      } catch (const Error& error) {
        const bool by_user = error.code() == RH_CANCELLED && take_interrupt();
        if (by_user) continue;
        if (interrupt_noted()) return report_error(error, false);
        const int failed = report_error(error, false);
        if (!editor.on_terminal()) status = failed;
      }
    }
  }

  // A line, or the lines between two fences. None at the end of the input, and when a signal was noted.
  static std::optional<std::string> read_message(LineEditor& editor) {
    const auto first = editor.read(">>> ");
    if (!first || first->interrupted) return std::nullopt;
    if (!first->text.starts_with(kFence)) {
      editor.remember(first->text);
      return first->text;
    }
    std::string text = first->text.substr(kFence.size());
    while (!text.ends_with(kFence)) {
      const auto line = editor.read("... ");
      if (!line) break;
      if (line->interrupted) return std::nullopt;
      text += "\n" + line->text;
    }
    if (text.ends_with(kFence)) text.resize(text.size() - kFence.size());
    while (text.starts_with('\n'))
      text.erase(0, 1);
    while (text.ends_with('\n'))
      text.pop_back();
    editor.remember(text);
    return text;
  }

  ChatFlags flags_;
};

}  // namespace

std::unique_ptr<Command> make_chat_command() {
  return std::make_unique<ChatCommand>();
}

}  // namespace roundhouse::host
