// SPDX-License-Identifier: Apache-2.0
// `roundhouse push`: a model of the store to an OCI registry.
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "host/cli/arguments.h"
#include "host/cli/command.h"
#include "host/cli/interrupt.h"
#include "host/cli/registry_flags.h"
#include "host/cli/store_report.h"
#include "host/cli/transfer_view.h"
#include "host/sources/registry_push.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

OrderedJson push_json(const StoredModel& model, const RegistryReference& target, const PushReport& report) {
  OrderedJson object;
  object["name"] = model.name;
  object["digest"] = model.digest.text();
  object["target"] = target.text();
  object["blobs"] = {{"all", report.blobs},
                     {"there", report.there},
                     {"mounted", report.mounted},
                     {"uploaded", report.uploaded}};
  object["bytes"] = report.bytes;
  object["bytes_sent"] = report.bytes_sent;
  object["manifest_there"] = report.manifest_there;
  return object;
}

std::string push_text(const StoredModel& model, const RegistryReference& target, const PushReport& report) {
  return fmt::format(
      "{}  {}\nsent {} of {}: {} files uploaded, {} taken over from another repository, {} there already\n",
      target.text(), model.digest.brief(), human_bytes(report.bytes_sent), human_bytes(report.bytes),
      report.uploaded, report.mounted, report.there);
}

class PushCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("push", "Send a model of the store to an OCI registry; only what is missing there");
    command.add("name", "NAME", "The model's name", &name_).required = true;
    command
        .add("target", "oci://REF", "Where to: oci://REGISTRY[:PORT]/REPOSITORY[:TAG] [default tag: latest]",
             &target_)
        .required = true;
    login_.declare(command);
    command.add("--parallel", "N", "Files sent at once, 1 to 16 [default: 4]", &parallel_);
    command.add("--allow-http",
                "Also use plain http, not only within this machine; anybody on the way can read along",
                &allow_http_);
    command.add("--chunk-size", "SIZE",
                "Larger files travel in requests of this size, 64KiB to 1GiB [default: 32MiB]", &chunk_size_);
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    const ModelName name = ModelName::parse(name_);
    const RegistryReference target = RegistryReference::parse(target_);
    const PushOptions options = this->options();
    Store store = program.store();
    const StoredModel model = stored_model(program, store, name);
    const RegistryAccess access = login_.access(target, allow_http_);
    watch_interrupts();
    const PushReport report = push_model(store, model, open_registry(target, access), options);
    if (json()) {
      print_json(push_json(model, target, report));
    } else {
      print(push_text(model, target, report));
    }
    return 0;
  }

 private:
  PushOptions options() const {
    PushOptions options;
    if (!parallel_.empty())
      options.transfers = static_cast<unsigned>(parse_integer("--parallel", parallel_, 1, kMaximumTransfers));
    if (!chunk_size_.empty()) options.chunk_bytes = parse_bytes("--chunk-size", chunk_size_);
    if (options.chunk_bytes < kMinimumChunkBytes || options.chunk_bytes > kMaximumChunkBytes)
      throw Error(RH_INVALID_ARGUMENT,
                  "--chunk-size: '" + chunk_size_ + "' is out of range, expected 64KiB to 1GiB");
    options.progress = transfer_progress("pushing", json());
    return options;
  }

  std::string name_, target_, chunk_size_, parallel_;
  bool allow_http_ = false;
  RegistryFlags login_;
};

}  // namespace

std::unique_ptr<Command> make_push_command() {
  return std::make_unique<PushCommand>();
}

}  // namespace roundhouse::host
