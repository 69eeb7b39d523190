// SPDX-License-Identifier: Apache-2.0
#include "host/task/model_reference.h"

namespace roundhouse::host {
namespace {

struct Identity {
  std::string operator()(const LocalDirectory& directory) const {
    return "directory " + directory.path.string();
  }
  std::string operator()(const StoreEntry& entry) const {
    return "store " + entry.store.string() + " " + entry.digest;
  }
  std::string operator()(const RemoteEngineModel& model) const { return "remote " + model.name; }
};

}  // namespace

std::string identity_of(const ModelReference& model) {
  return std::visit(Identity(), model.place);
}

std::string name_of(const std::optional<ModelReference>& model) {
  return model ? model->name : "";
}

std::string architecture_of(const std::optional<ModelReference>& model) {
  return model ? model->architecture : "";
}

}  // namespace roundhouse::host
