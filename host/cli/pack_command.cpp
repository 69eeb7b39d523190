// SPDX-License-Identifier: Apache-2.0
// `roundhouse pack`: a model of the store as one file that every OCI tool reads.
#include <nlohmann/json.hpp>

#include "host/cli/command.h"
#include "host/cli/store_report.h"
#include "host/cli/transfer_view.h"
#include "host/text/quantities.h"

namespace roundhouse::host {
namespace {

class PackCommand : public Command {
 public:
  FlagTable declare() override {
    FlagTable command("pack", "Write a model of the store as an OCI archive (tar)");
    command.add("name", "NAME", "The model's name", &name_).required = true;
    command.add("file", "OUT.tar", "The archive to be made; there must be none of that name", &file_)
        .required = true;
    declare_json(command);
    return command;
  }

  int run(const Program& program) override {
    Store store = program.store();
    const StoredModel model = stored_model(program, store, ModelName::parse(name_));
    const std::uint64_t bytes = store.pack(model, file_, transfer_progress("packing", json()));
    if (json()) {
      OrderedJson object;
      object["name"] = model.name;
      object["digest"] = model.digest.text();
      object["file"] = file_;
      object["bytes"] = bytes;
      print_json(object);
    } else {
      print(file_ + "  " + human_bytes(bytes) + "\n");
    }
    return 0;
  }

 private:
  std::string name_, file_;
};

}  // namespace

std::unique_ptr<Command> make_pack_command() {
  return std::make_unique<PackCommand>();
}

}  // namespace roundhouse::host
