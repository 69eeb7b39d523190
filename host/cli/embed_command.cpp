// SPDX-License-Identifier: Apache-2.0
// `roundhouse embed`: texts in, vectors out.
#include <fmt/format.h>
#include <unistd.h>

#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>

#include "host/cli/arguments.h"
#include "host/cli/command.h"
#include "host/cli/engine_run.h"
#include "host/cli/input_text.h"
#include "host/cli/interrupt.h"
#include "host/cli/text_output.h"
#include "host/session/embedder.h"
#include "host/worker/redaction.h"

namespace roundhouse::host {
namespace {

constexpr std::size_t kLongestInput = std::size_t{64} << 20;

struct EmbedFlags : EngineFlags {
  std::vector<std::string> texts, files;
  std::optional<std::string> dimensions;
  bool truncate = false, as_computed = false, log_prompts = false;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// Those of the command line, whole files, or a text a line of standard input.
std::vector<std::string> texts_of(const EmbedFlags& flags) {
  std::vector<std::string> texts = flags.texts;
  for (const std::string& file : flags.files)
    texts.push_back(read_input_text("file", file, kLongestInput));
  if (!texts.empty()) return texts;
  if (isatty(STDIN_FILENO) == 1) {
    throw Error(RH_INVALID_ARGUMENT, "texts: none were given, expected arguments, --file or standard input",
                "a text a line: roundhouse embed MODEL < FILE");
  }
  const std::string all = read_input_text("file", "-", kLongestInput);
  return all.empty() ? texts : lines_of(all);
}

class EmbedCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("embed", "Turn texts into vectors");
    command.add("MODEL", "", "A model by name, or a directory (with a '/')", &flags_.model).required = true;
    command.add("TEXT", "", "The texts [default: each line of standard input]", &flags_.texts).rest = true;
    command.add("--file", "FILE", "All of FILE as one text; - is standard input (repeatable)", &flags_.files);
    command.add("--dimensions", "N", "Only the first N numbers of each, made length 1 again",
                &flags_.dimensions);
    command.add("--truncate", "Leave out the end of a text that is too long [default: refuse it]",
                &flags_.truncate);
    command.add("--as-computed", "Leave vectors as the model computes them [default: of length 1]",
                &flags_.as_computed);
    command.group = "Run";
    declare_engine_flags(command, flags_, "request");
    command.add("--log-prompts", "Put texts into the log; they never are otherwise", &flags_.log_prompts);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    EmbedRequest request;
    read_engine_flags(flags_, request);
    request.dimensions = parse_integer("--dimensions", flags_.dimensions, "a whole number");
    request.truncate = flags_.truncate;
    request.normalise = !flags_.as_computed;
    texts_ = texts_of(flags_);
    request.texts = texts_;
    const std::atomic<bool>& cancelled = watch_interrupts();
    EngineRun engines(program, flags_, json());
    engines.begin(request.model);
    const ModelCatalogue models = program.models();
    const EmbedPlan plan = engines.plan([&] { return make_embed_plan(request, engines.registry(), models); });
    engines.prepare_process(plan, nullptr);
    engines.explain();
    ClientOptions client = engines.client();
    client.device = plan.device;
    OneWorker worker(engines.registry(), client, engines.factory());
    show(plan, Embedder(worker).run(plan, std::nullopt, cancelled));
    return 0;
  }

  std::string loggable(const std::string& message) const override {
    return flags_.log_prompts ? message : without_texts(message, texts_);
  }

 private:
  // A line a vector, in the order of the texts.
  void show(const EmbedPlan& plan, const EmbedRun& run) const {
    if (!json()) {
      for (const Embedding& vector : run.vectors)
        print(fmt::format("[{}]\n", fmt::join(vector.values, ",")));
      return print_notes(run.lease.notes);
    }
    OrderedJson object;
    object["model"] = name_of(plan.model);
    object["engine"] = run.lease.placement.engine;
    object["embeddings"] = OrderedJson::array();
    for (const Embedding& vector : run.vectors)
      object["embeddings"].push_back(vector.values);
    object["usage"] = {{"prompt_tokens", run.report.tokens}};
    object["load_ms"] = run.lease.loading_milliseconds;
    object["peak_memory_bytes"] = run.report.peak_memory_bytes;
    object["notes"] = run.lease.notes;
    print_json(object);
  }

  EmbedFlags flags_;
  std::vector<std::string> texts_;
};

}  // namespace

std::unique_ptr<Command> make_embed_command() {
  return std::make_unique<EmbedCommand>();
}

}  // namespace roundhouse::host
