// SPDX-License-Identifier: Apache-2.0
// `roundhouse fetch`: pull under the flags of other tools, and into a directory where one is wanted.
#include <fmt/format.h>

#include "host/app/pull.h"
#include "host/cli/command.h"
#include "host/cli/import_flags.h"
#include "host/cli/interrupt.h"
#include "host/cli/transfer_view.h"
#include "host/store/file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

class FetchCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("fetch",
                      "As pull, of a repository of a hub; with --output also a directory of its files");
    command.add("source", "SOURCE", "As pull takes it; or give --repo", &source_);
    command.add("--repo", "ORG/NAME", "A repository of a Hugging Face hub", &repository_);
    command.add("--revision", "REVISION", "A branch, a tag or a commit of it [default: main]", &revision_);
    command.add("--name", "NAME", "NAME[:VARIANT][@VERSION] in the store [default: the source's own]",
                &name_);
    command.add("--output", "DIR", "Also copy its files into DIR, which must not be there yet", &output_);
    command.add("--token-file", "FILE", "A file with a token for a hub [default: $HF_TOKEN, $HF_HOME/token]",
                &request_.hub.token_file);
    command.add("--allow-http",
                "Also use plain http, not only within this machine; anybody on the way can read along",
                &request_.hub.allow_http);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    request_.source = source();
    if (name_) request_.name = ModelName::parse(*name_);
    std::error_code ignored;
    if (output_ && fs::exists(fs::symlink_status(*output_, ignored)))
      throw Error(RH_IO_ERROR, "--output: '" + *output_ + "' is there already",
                  "name a directory that is not");
    watch_interrupts();
    request_.progress = transfer_progress("pulling", json());
    const ImportReport report = pull(program.app(), request_);
    request_.progress = {};  // takes its line off the terminal
    Store store = program.store();
    if (output_) copy_files(store, report.model);
    return print_import(report, store, json());
  }

 private:
  std::string source() const {
    if (source_ && (repository_ || revision_))
      throw Error(RH_INVALID_ARGUMENT,
                  "source: given as an argument and as --repo or --revision, expected one");
    if (source_) return *source_;
    if (!repository_) throw Error(RH_INVALID_ARGUMENT, "--repo: is missing, expected ORG/NAME");
    return "hf:" + *repository_ + (revision_ ? "@" + *revision_ : "");
  }

  // All or nothing: a directory of that name is a whole model.
  void copy_files(Store& store, const StoredModel& model) const {
    const fs::path partial = *output_ + ".partial";
    std::error_code error;
    fs::remove_all(partial, error);
    try {
      const ModelManifest manifest = store.manifest(model);
      const fs::path view = store.view(manifest);
      for (const ModelFile& file : manifest.files) {
        if (interrupt_noted()) throw Error(RH_CANCELLED, "cancelled while copying " + file.path);
        make_directories((partial / file.path).parent_path());
        fs::copy_file(view / file.path, partial / file.path, error);
        if (error) throw_system("--output: '" + file.path + "'", error.value());
      }
      rename_file(partial, *output_);
    } catch (...) {
      fs::remove_all(partial, error);
      throw;
    }
  }

  PullRequest request_;
  std::optional<std::string> source_, repository_, revision_, name_, output_;
};

}  // namespace

std::unique_ptr<Command> make_fetch_command() {
  return std::make_unique<FetchCommand>();
}

}  // namespace roundhouse::host
