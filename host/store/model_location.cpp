// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_location.h"

#include "host/store/store.h"

namespace roundhouse::host {
namespace {

struct Location {
  const std::string& name;

  std::filesystem::path operator()(const LocalDirectory& directory) const { return directory.path; }
  std::filesystem::path operator()(const StoreEntry& entry) const {
    const auto digest = Digest::parse(entry.digest);
    if (!digest) throw Error(RH_INTERNAL, "model '" + name + "': '" + entry.digest + "' is not a digest");
    Store store(entry.store);
    return store.view(store.manifest({name, *digest, {}, {}, 0}));
  }
  std::filesystem::path operator()(const RemoteEngineModel& model) const {
    throw Error(RH_CAPABILITY_UNSUPPORTED,
                "model '" + model.name + "' is at a remote engine: it has no files here");
  }
};

}  // namespace

std::filesystem::path model_directory(const ModelReference& model) {
  return std::visit(Location{model.name}, model.place);
}

}  // namespace roundhouse::host
