// SPDX-License-Identifier: Apache-2.0
// Models from a Hugging Face hub into the store.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "host/sources/hub_options.h"
#include "host/store/store.h"

namespace roundhouse::host {

// Files of one repository that go into a model. A model may be made of several: a transformer of its own and
// the encoder of another.
struct HubPart {
  HubRepository repository;
  std::string from = {};  // a folder of the repository ("vae"); empty: all of it
  std::string to = {};    // the folder of the model that gets them; empty: its root
  // Whether a file is wanted, by its path beneath `from`; empty: what a model directory is made of.
  std::function<bool(const std::string&)> wants = {};
  std::string variant = {};  // which precision of weights ("fp16"); empty: the plain files
  // Folders of which at least one file has to be wanted: what a recipe names is to be there.
  std::vector<std::string> folders = {};
  // Not a whole model: the file that `repository.file` means, or all of one component.
  bool parts = false;
};

// The repository holds one file that may be a model, and nothing else that is one.
class OneFileOnly : public Error {
 public:
  OneFileOnly(const std::string& message, std::string path)
      : Error(RH_WEIGHTS_MISSING, message, "see the repository's page for what it holds"),
        path_(std::move(path)) {}
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// Fetches what the store and the hub's own cache do not have, several files at once, checks every file
// against the digest that the hub lists, and gives the name when all are there. An earlier pull that was
// killed is gone on with; one that is at work on the same files is waited for. With `options.offline` nothing
// but the hub's cache is used. The provenance records the first part's repository and commit; of
// `import.provenance` only `tool` counts. Cancelled by `import.progress` or `options.http.cancelled`.
//
// Throws what HubApi and Download throw; INSUFFICIENT_STORAGE before the first file when the sizes are
// too much; WEIGHTS_MISSING when a component lacks a file, or the cache the repository; MODEL_INVALID when
// the files are no model.
ImportReport pull_from_hub(const Store& store, const std::vector<HubPart>& parts, const ModelName& name,
                           const HubOptions& options, const ImportOptions& import);

// What was fetched, or its beginning: one file, or the directory of a component.
struct HubParts {
  std::filesystem::path path;
  std::string file;  // as the repository calls it; empty for a directory
  std::string commit;
};
struct HubPartsUse {
  // Gets one file as it will be, but for its data: what begins it up to the header's end, then zeros that
  // take no room. Before the rest is fetched; throws to refuse. Not called for what is here already.
  std::function<void(const HubParts&)> look;
  // Gets what was fetched, as blobs or links to them that live as long as the call.
  std::function<ImportReport(const HubParts&)> take;
};
// Fetches a part with `parts` and gives it on. Throws as pull_from_hub.
ImportReport pull_parts_from_hub(const Store& store, const HubPart& part, const HubOptions& options,
                                 const ImportOptions& import, const HubPartsUse& use);

// A name for the repository's model: its last part, as far as it is one, with the type or file as variant.
std::string hub_model_name(const HubRepository& repository);

}  // namespace roundhouse::host
