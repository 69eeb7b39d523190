// SPDX-License-Identifier: Apache-2.0
// `roundhouse pull`: models from elsewhere into the store.
#include "host/app/pull.h"
#include "host/cli/arguments.h"
#include "host/cli/command.h"
#include "host/cli/import_flags.h"
#include "host/cli/interrupt.h"
#include "host/cli/registry_flags.h"
#include "host/cli/transfer_view.h"
#include "roundhouse/ext/log.h"

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
             "hf:org/name[:FILE][@revision]: a repository of a Hugging Face hub, or one file of it (a "
             "type such as Q8_0, or a name); "
             "oci://registry[:port]/repository[:tag][@digest]: an OCI registry; "
             "https://...: one file, an OCI archive, a GGUF or safetensors; "
             "file:///PATH or a path: what import takes",
             &request_.source)
        .required = true;
    command.add("--name", "NAME", "NAME[:VARIANT][@VERSION] [default: the source's own]", &name_);
    command.add(
        "--variant", "VARIANT",
        "The precision of a hub's weights that is stored in several, such as fp16 [default: the plain "
        "files]",
        &request_.variant);
    command.add("--token-file", "FILE", "A file with a token for a hub [default: $HF_TOKEN, $HF_HOME/token]",
                &request_.hub.token_file);
    command
        .add("--token", "TOKEN", "The token itself, which other users may see in lists of processes",
             &request_.hub.token)
        .excludes = "--token-file";
    command.add("--parallel", "N", "Files fetched at once, 1 to 16 [default: 4]", &parallel_);
    command.add("--allow-http",
                "Also use plain http, not only within this machine; anybody on the way can read along",
                &request_.hub.allow_http);
    declare_parts(command, request_.parts);
    login_.declare(command);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    if (!name_.empty()) request_.name = ModelName::parse(name_);
    if (!parallel_.empty())
      request_.parallel = static_cast<unsigned>(parse_integer("--parallel", parallel_, 1, kMaximumParallel));
    watch_interrupts();
    const std::shared_ptr<Log> log = program.log();
    log->write(RH_LOG_DEBUG, "source", "pull begins", {{"source", request_.source}});
    request_.progress = logged_transfer(transfer_progress("pulling", json()), log, "pulling");
    request_.login = [this](const RegistryReference& reference) {
      refuse_token();
      return login_.search(reference);
    };
    const ImportReport report = pull(program.app(), request_);
    request_.progress = {};  // takes its line off the terminal
    log->write(RH_LOG_DEBUG, "source", "pull ended", {{"name", report.model.name}});
    return print_import(report, program.store(), json());
  }

 private:
  void refuse_token() const {
    if (!request_.hub.token && !request_.hub.token_file) return;
    throw Error(RH_INVALID_ARGUMENT, "--token: a registry takes a user and a password, no token",
                "give --username with --password-file or --password-stdin; most registries take a token as "
                "the password");
  }

  PullRequest request_;
  std::string name_, parallel_;
  RegistryFlags login_;
};

}  // namespace

std::unique_ptr<Command> make_pull_command() {
  return std::make_unique<PullCommand>();
}

}  // namespace roundhouse::host
