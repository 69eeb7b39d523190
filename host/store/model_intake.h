// SPDX-License-Identifier: Apache-2.0
// A model in the making: files that come one by one, from a directory or over a network, and get a name only
// when all are there.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "host/store/blob_writer.h"
#include "host/store/store.h"

namespace roundhouse::host {

// The note of a report for what a ModelCheck returned.
std::string not_looked_note(const std::string& why);
// Throws CAPABILITY_UNSUPPORTED for such a reason: weights that no engine here can judge are not fetched.
// `source` begins the message.
void require_looked(const std::string& source, const std::string& why);

class ModelIntake {
 public:
  // Makes the store where there is none. Throws MODEL_INVALID for a damaged index before anything is written.
  explicit ModelIntake(const std::filesystem::path& root);

  const StorePaths& paths() const { return paths_; }
  BlobWriter& writer() { return writer_; }

  // Throws INSUFFICIENT_STORAGE when so many bytes, and the model's records, have no room.
  void require_space(std::uint64_t bytes) const;
  // A file that is in the store now. From any thread.
  void add(const std::string& path, BlobPlaced placed);
  bool has(const std::string& path);
  // Takes back the files of weights of a component, for others in their place.
  void drop_weights(const std::string& component);

  StoreSession& session() { return session_; }

  // Looks at what was added as at a model directory, then lets `check` do it where there is one. Throws what
  // these throw; `shown` stands for the directory in messages.
  ModelDirectory inspect(const std::string& shown, const ModelCheck& check = {});
  // Looks at a directory that stands for a model, then lets `more` judge it; what these throw names `shown`
  // in place of the directory.
  static ModelDirectory judge(const std::filesystem::path& directory, const std::string& shown,
                              const std::function<void(const ModelDirectory&)>& more);
  // Throws MODEL_INVALID when the recipe of the options is for another architecture.
  static void require_architecture(const ImportOptions& options, const ModelDirectory& inspected,
                                   const std::string& shown);

  // Writes config and manifest, makes all durable, and gives the name. `source` is what the model was made
  // of.
  ImportReport finish(const ModelName& name, const ModelDirectory& inspected, const ImportOptions& options,
                      const std::string& source);

  // The same for a model whose manifest another store has written: it stays byte for byte. What it names must
  // be in the store.
  ImportReport adopt(const ModelName& name, const std::string& manifest, const std::string& source);

 private:
  OciDescriptor write_manifest(const ModelDirectory& inspected, const ImportOptions& options);
  ImportReport give_name(const ModelName& name, const OciDescriptor& manifest, const std::string& source);

  const StorePaths paths_;
  std::vector<std::string> notes_;
  StoreSession session_;
  BlobWriter writer_;
  std::mutex mutex_;                         // for what follows
  std::map<std::string, BlobPlaced> files_;  // by path in the model directory
};

}  // namespace roundhouse::host
