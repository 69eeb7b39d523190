// SPDX-License-Identifier: Apache-2.0
// A subcommand: it declares its flags, and runs when it was the one that was asked for.
#pragma once

#include <memory>

#include "host/cli/flags.h"
#include "host/cli/program.h"
#include "host/cli/report.h"

namespace roundhouse::host {

class Command {
 public:
  virtual ~Command();

  // The subcommand with its flags, whose targets are in this object. Called once.
  virtual FlagTable declare() = 0;

  // Does the work and returns the exit status. Throws Error for everything that is one line and a hint.
  virtual int run(const Program& program) = 0;

  // What is worth knowing beside the error that `run` threw: members of the object that --json prints.
  virtual OrderedJson partial() const;

  // `message` without what a log must not hold.
  virtual std::string loggable(const std::string& message) const;

  // Whether --json was given: then standard output holds one JSON object, also for an error.
  bool json() const { return json_; }

 protected:
  void declare_json(FlagTable& command);

 private:
  bool json_ = false;
};

std::unique_ptr<Command> make_generate_command();
std::unique_ptr<Command> make_run_command();
std::unique_ptr<Command> make_chat_command();
std::unique_ptr<Command> make_embed_command();
std::unique_ptr<Command> make_engines_command();
std::unique_ptr<Command> make_models_command();
std::unique_ptr<Command> make_list_command();
std::unique_ptr<Command> make_show_command();
std::unique_ptr<Command> make_import_command();
std::unique_ptr<Command> make_create_command();
std::unique_ptr<Command> make_copy_command();
std::unique_ptr<Command> make_convert_command();
std::unique_ptr<Command> make_quantize_command();
std::unique_ptr<Command> make_remove_command();
std::unique_ptr<Command> make_verify_command();
std::unique_ptr<Command> make_validate_command();
std::unique_ptr<Command> make_pack_command();
std::unique_ptr<Command> make_pull_command();
std::unique_ptr<Command> make_pin_command();
std::unique_ptr<Command> make_push_command();
std::unique_ptr<Command> make_gc_command();
std::unique_ptr<Command> make_clean_command();
std::unique_ptr<Command> make_errors_command();
std::unique_ptr<Command> make_doctor_command();
std::unique_ptr<Command> make_fetch_command();
std::unique_ptr<Command> make_smoke_command();
std::unique_ptr<Command> make_dump_command();
std::unique_ptr<Command> make_parity_command();
std::unique_ptr<Command> make_bench_command();
std::unique_ptr<Command> make_tokenize_command();
std::unique_ptr<Command> make_serve_command();
std::unique_ptr<Command> make_ps_command();
std::unique_ptr<Command> make_stop_command();
std::unique_ptr<Command> make_version_command();

}  // namespace roundhouse::host
