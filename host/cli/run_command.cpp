// SPDX-License-Identifier: Apache-2.0
// `roundhouse run`: a prompt in, an answer out as it is written.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <nlohmann/json.hpp>

#include "host/app/conversation.h"
#include "host/cli/arguments.h"
#include "host/cli/command.h"
#include "host/cli/engine_run.h"
#include "host/cli/generate_summary.h"
#include "host/cli/input_text.h"
#include "host/cli/interrupt.h"
#include "host/cli/text_flags.h"
#include "host/cli/text_output.h"
#include "host/session/random_seed.h"
#include "host/session/values.h"
#include "host/worker/redaction.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kLongestPrompt = std::size_t{64} << 20;

struct RunFlags : TextFlags {
  std::optional<std::string> prompt, logprobs;
  std::vector<std::string> files;
  bool raw = false, render = false, timings = false, log_prompts = false;
};

// The prompt, and the files below it; without both all of standard input.
std::string whole_prompt(const RunFlags& flags) {
  std::vector<std::string> files = flags.files;
  if (!flags.prompt && files.empty()) {
    if (isatty(STDIN_FILENO) == 1) {
      throw Error(RH_INVALID_ARGUMENT, "prompt: is missing, expected a text, --file or standard input",
                  fmt::format("talk with the model: roundhouse chat {}", flags.model.value_or("MODEL")));
    }
    files.emplace_back("-");
  }
  std::string prompt = flags.prompt.value_or("");
  for (const std::string& file : files) {
    if (!prompt.empty()) prompt += "\n\n";
    prompt += read_input_text("prompt file", file, kLongestPrompt);
  }
  return prompt;
}

TextRequest request_of(const RunFlags& flags, const std::string& prompt) {
  TextRequest request = read_text_flags(flags);
  check_text("prompt", prompt, kLongestPrompt, flags.raw);
  if (flags.system) check_text("system", *flags.system, kLongestPrompt);
  if (flags.raw && flags.system) throw Error(RH_INVALID_ARGUMENT, "--system: has no place in a raw prompt");
  if (flags.raw) {
    request.prompt = prompt;
  } else {
    Conversation conversation;
    conversation.set_system(flags.system.value_or(""));
    conversation.add_user(prompt);
    request.messages = conversation.messages();
  }
  if (flags.logprobs) request.top_logprobs = parse_integer("--logprobs", *flags.logprobs, 0, 128);
  request.tokens = flags.logprobs.has_value();
  return request;
}

class RunCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("run", "Have a model answer a prompt");
    command.add("MODEL", "", "A model by name, or a directory (with a '/')", &flags_.model).required = true;
    command.add("PROMPT", "",
                "What to answer; put -- before one that starts with '-' [default: standard input]",
                &flags_.prompt);
    command.add("--file", "FILE", "Put the text of FILE below the prompt; - is standard input (repeatable)",
                &flags_.files);
    command.add("--raw", "The prompt goes to the tokenizer as it is, without the model's template",
                &flags_.raw);
    declare_text_flags(command, flags_);
    command.group = "Run";
    declare_engine_flags(command, flags_, "answer");
    command.add("--render", "Print what the engine would read, and write nothing", &flags_.render);
    command.add("--timings", "Say on standard error how fast it was", &flags_.timings);
    command.add("--logprobs", "N", "With --json: each token with its N likeliest rivals, 0 to 128",
                &flags_.logprobs);
    command.add("--log-prompts", "Put prompts into the log; they never are otherwise", &flags_.log_prompts);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    prompt_ = whole_prompt(flags_);
    const TextRequest request = request_of(flags_, prompt_);
    const std::atomic<bool>& cancelled = watch_interrupts();
    EngineRun engines(program, flags_, json());
    engines.begin(request.model);
    const ModelCatalogue models = program.models();
    const TextPlan plan =
        engines.plan([&] { return make_text_plan(request, engines.registry(), models, random_seed); });
    engines.prepare_process(plan, &prompt_);
    engines.explain();
    ClientOptions client = engines.client();
    client.device = plan.device;
    OneWorker worker(engines.registry(), client, engines.factory());
    TextRunner runner(worker);
    try {
      return flags_.render ? render(plan, runner, cancelled) : write(program, plan, runner, cancelled);
    } catch (const BrokenPipe&) {
      return 128 + SIGPIPE;
    }
  }

  OrderedJson partial() const override {
    OrderedJson json = OrderedJson::object();
    if (!partial_.answer.empty()) json["answer"] = partial_.answer;
    return json;
  }

  std::string loggable(const std::string& message) const override {
    if (flags_.log_prompts) return message;
    return without_texts(message, {prompt_, flags_.system.value_or("")});
  }

 private:
  int write(const Program& program, const TextPlan& plan, TextRunner& runner,
            const std::atomic<bool>& cancelled) {
    AnswerStream stream;
    TextRunEvents events;
    if (!json()) events.piece = [&](const TextPiece& piece) { stream.write(piece); };
    TextAnswer answer;
    try {
      answer = complete_text(plan, runner, std::nullopt, cancelled, events, &partial_);
    } catch (const Error&) {
      stream.finish();
      throw;
    }
    stream.finish();
    if (json()) {
      OrderedJson object = answer_json(plan, answer, program.milliseconds_since_start());
      if (flags_.explain) object["explain"] = verdicts_json(plan.decision);
      print_json(object);
      return 0;
    }
    print_notes(answer.run.lease.notes);
    for (const ToolCall& call : answer.tool_calls)
      print_notes({"calls " + call.name + " with " + call.arguments});
    if (answer.run.text.finish == Finish::length)
      print_notes({"the answer was cut off: its limit, or the window, is reached"});
    if (flags_.timings) print_notes({timings_line(answer)});
    return 0;
  }

  int render(const TextPlan& plan, TextRunner& runner, const std::atomic<bool>& cancelled) const {
    const RenderedPrompt prompt = runner.render(plan, std::nullopt, cancelled);
    if (json()) {
      print_json({{"prompt", prompt.text}, {"ids", prompt.ids}});
      return 0;
    }
    print(prompt.text + (prompt.text.ends_with('\n') ? "" : "\n"));
    print_notes({fmt::format("{} tokens", prompt.ids.size())});
    return 0;
  }

  RunFlags flags_;
  std::string prompt_;
  TextAnswer partial_;
};

}  // namespace

std::unique_ptr<Command> make_run_command() {
  return std::make_unique<RunCommand>();
}

}  // namespace roundhouse::host
