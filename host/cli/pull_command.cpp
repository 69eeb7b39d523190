// SPDX-License-Identifier: Apache-2.0
// `roundhouse pull`: models from elsewhere into the store.
#include "host/cli/arguments.h"
#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/pull_source.h"
#include "host/cli/store_report.h"
#include "host/cli/transfer_view.h"

namespace roundhouse::host {
namespace {

constexpr std::int64_t kMaximumParallel = 16;

class PullCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("pull",
                      "Fetch a model into the store; what was fetched before an interruption is kept");
    command
        .add("source", "SOURCE",
             "NAME: a recipe of 'roundhouse models'; "
             "hf:org/name[@revision]: a repository of a Hugging Face hub; "
             "oci://registry[:port]/repository[:tag][@digest]: an OCI registry; "
             "file:///PATH or a path: what import takes",
             &request_.source)
        .required = true;
    command.add("--name", "NAME", "NAME[:VARIANT][@VERSION] [default: the source's own]", &name_);
    command.add("--token-file", "FILE", "A file with a token for a hub [default: $HF_TOKEN, $HF_HOME/token]",
                &request_.token_file);
    command
        .add("--token", "TOKEN", "The token itself, which other users may see in lists of processes",
             &request_.token)
        .excludes = "--token-file";
    command.add("--parallel", "N", "Files fetched at once, 1 to 16 [default: 4]", &parallel_);
    command.add("--allow-http",
                "Also use plain http, not only within this machine; anybody on the way can read along",
                &request_.allow_http);
    for (const auto& source : sources_)
      source->declare(command);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    if (!name_.empty()) request_.name = ModelName::parse(name_);
    if (!parallel_.empty())
      request_.parallel = static_cast<unsigned>(parse_integer("--parallel", parallel_, 1, kMaximumParallel));
    watch_interrupts();
    request_.progress = transfer_progress("pulling", json());
    const ImportReport report = source(program).pull(program, request_);
    request_.progress = {};  // takes its line off the terminal
    if (json()) {
      print_json(import_json(report, program.store()));
    } else {
      print(import_text(report));
    }
    return 0;
  }

 private:
  PullSource& source(const Program& program) const {
    for (const auto& source : sources_) {
      if (source->takes(program, request_.source)) return *source;
    }
    throw Error(RH_INVALID_ARGUMENT,
                "source '" + request_.source +
                    "' is of no known kind, expected a name of 'roundhouse models', hf:org/name[@revision], "
                    "oci://registry/repository[:tag], file:///PATH or a path that exists",
                "see 'roundhouse pull --help'");
  }

  PullRequest request_;
  std::string name_, parallel_;
  const std::vector<std::unique_ptr<PullSource>> sources_ = make_pull_sources();
};

}  // namespace

std::vector<std::unique_ptr<PullSource>> make_pull_sources() {
  std::vector<std::unique_ptr<PullSource>> sources;
  sources.push_back(make_hub_pull_source());
  sources.push_back(make_registry_pull_source());
  sources.push_back(make_recipe_pull_source());
  sources.push_back(make_local_pull_source());
  return sources;
}

std::unique_ptr<Command> make_pull_command() {
  return std::make_unique<PullCommand>();
}

}  // namespace roundhouse::host
