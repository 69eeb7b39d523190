// SPDX-License-Identifier: Apache-2.0
// The model store: an OCI image layout in which every model is a manifest and every file of it a blob.
// Several processes and threads may use one store at the same time; a process may be killed at any moment.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/store/model_config.h"
#include "host/store/model_files.h"
#include "host/store/model_name.h"
#include "host/store/oci_manifest.h"
#include "host/store/store_paths.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// A name in the store. What is not of the manifest itself (time, source) is an annotation in index.json.
struct StoredModel {
  std::string name;
  Digest digest;           // of the manifest
  std::string created;     // "2025-01-31T12:00:00Z" or empty
  std::string source;      // the directory or archive that it was made of, or empty
  std::uint64_t size = 0;  // of the manifest
};

// How far one file is that travels.
struct FileProgress {
  std::string digest;  // as its source lists it: "sha256:...", "git-sha1:..."; empty: it lists none
  std::uint64_t done = 0, total = 0;  // bytes
};

// How far a long piece of work is. The function may throw an Error (CANCELLED) to end it.
struct StoreProgress {
  std::string what;                       // the file at work: "transformer/config.json"
  std::uint64_t done = 0, total = 0;      // bytes of the whole work
  std::uint64_t before = 0;               // of `done`, those that an earlier run has done
  std::optional<FileProgress> file = {};  // the one at work, where files come from or go elsewhere
};
using ProgressCallback = std::function<void(const StoreProgress&)>;

enum class LinkMode {
  automatic,  // a clone that shares its blocks where the file system can, else a copy
  link,       // a hard link where source and store are on one file system, else as automatic
  copy
};

// Looks at a whole model before it gets its name, as an engine does that would run it; throws to refuse.
// Returns why no engine looked at it; empty: one did.
using ModelCheck =
    std::function<std::string(const std::filesystem::path& directory, const ModelDirectory& inspected)>;
// The same for any caller: `cancelled` ends it with CANCELLED.
using CancellableCheck =
    std::function<std::string(const std::filesystem::path& directory, const ModelDirectory& inspected,
                              const std::atomic<bool>& cancelled)>;

struct ImportOptions {
  LinkMode link_mode = LinkMode::automatic;
  std::optional<ModelSpec> spec;  // the recipe; without one the directory speaks for itself
  Provenance provenance{"directory", {}, {}, {}};
  ProgressCallback progress;
  std::string source = {};      // what the model is said to be made of; empty: the directory
  Links links = Links::within;  // of a directory that is taken in
  ModelCheck check = {};
};

struct ImportReport {
  StoredModel model{{}, sha256(""), {}, {}, 0};
  std::uint64_t bytes = 0;        // of all its files, each digest once
  std::uint64_t bytes_added = 0;  // that they take on the disk in addition
  unsigned files = 0, present = 0, linked = 0, cloned = 0, copied = 0, fetched = 0;  // present: it had them
  std::uint64_t bytes_fetched = 0;  // that came over a network
  std::optional<Digest> replaced;   // what the name stood for before, where that was another model
  std::vector<std::string> notes;   // sentences about what was chosen or not looked at
};

// What gc or clean did, or would do.
struct Collection {
  std::vector<Digest> blobs;                     // that no name needs
  std::vector<std::filesystem::path> leftovers;  // of killed processes
  std::vector<std::filesystem::path> views;      // of models that are gone
  std::vector<std::filesystem::path> downloads;  // that nobody is at work on; only clean removes them
  std::uint64_t bytes = 0;
};

// One file of a model that is not what it was.
struct Damage {
  std::string file;    // path in the model directory, "config" or "manifest"
  std::string kind;    // missing, truncated, longer, header, tensor, json, content, unreadable
  std::string detail;  // a sentence
  std::vector<std::string> tensors;
  std::string expected, found;  // digests; empty where there is none
};

class Store {
 public:
  // Reads nothing. An empty root is a store that is empty and cannot be written.
  explicit Store(std::filesystem::path root) : paths_{std::move(root)} {}
  const std::filesystem::path& root() const { return paths_.root; }

  // All names, sorted; those of other tools whose manifests are no models as well. Throws MODEL_INVALID for a
  // damaged index.
  std::vector<StoredModel> list() const;
  std::optional<StoredModel> find(const ModelName& name) const;
  // Throws MODEL_NOT_FOUND naming what there is.
  StoredModel get(const ModelName& name) const;
  // Checked against their digests. Throws INTEGRITY_MISMATCH, MODEL_INVALID, UNSAFE_NAME.
  ModelManifest manifest(const StoredModel& model) const;
  ModelConfig config(const StoredModel& model, const ModelManifest& manifest) const;

  // Takes in a model directory under a name. What the name stood for before is replaced, except that a name
  // with a version stands for one model for ever (INVALID_ARGUMENT). Throws what inspect_model_directory
  // throws, INSUFFICIENT_STORAGE before anything is written where the size is known, IO_ERROR.
  ImportReport import_directory(const std::filesystem::path& directory, const ModelName& name,
                                const ImportOptions& options);

  // Makes a model: `make` fills an empty directory beneath the store's root, which is then taken in and gone
  // with the call, and may say more of it. Its files become blobs without a copy; a link among them is
  // IO_ERROR.
  ImportReport build(
      const ModelName& name, ImportOptions options,
      const std::function<void(const std::filesystem::path& directory, ImportOptions& options)>& make);

  // The same for an archive that `pack` or another OCI tool made; without a name, the one that the archive
  // says. Throws also UNSAFE_NAME, INTEGRITY_MISMATCH and MODEL_INVALID for archives that are damaged or
  // hostile.
  ImportReport import_archive(const std::filesystem::path& file, const std::optional<ModelName>& name,
                              const ImportOptions& options);
  // Writes the model as an OCI archive; the same model gives the same bytes. Returns its size. Throws
  // IO_ERROR when there is a file of that name, INTEGRITY_MISMATCH for damage.
  std::uint64_t pack(const StoredModel& model, const std::filesystem::path& file,
                     const ProgressCallback& progress);

  // The directory in which an engine finds the model's files: links to blobs, made when the model gets its
  // name, and again where it is not there or was changed. Models that share a blob show the same inode. Where
  // the store cannot be written or its file system has no links, it is one of the user's own beneath
  // XDG_RUNTIME_DIR or the directory for temporary files.
  std::filesystem::path view(const ModelManifest& manifest);

  // Every file that is not what the manifest says; all are hashed.
  std::vector<Damage> verify(const StoredModel& model, const ProgressCallback& progress);
  // As verify for blobs that were never hashed where they lie or that changed since, nothing for the others.
  // Throws INTEGRITY_MISMATCH naming the first damaged file.
  void require_sound(const StoredModel& model, const ModelManifest& manifest,
                     const ProgressCallback& progress);

  // Another name for the same model.
  StoredModel alias(const ModelName& source, const ModelName& target);
  // Takes the name away; with `prune` also the blobs that only this model needed.
  Collection remove(const ModelName& name, bool prune);
  // Removes blobs that no name and no living process needs, and what killed processes left.
  Collection collect(bool dry_run);
  // Removes what can be made again or is nobody's: views, downloads that no living process is at work on, and
  // what killed processes left.
  Collection clean();

 private:
  StorePaths paths_;
};

// Where the store is: `flag` (--home), ROUNDHOUSE_HOME, $XDG_DATA_HOME/roundhouse, ~/.local/share/roundhouse;
// empty without any of them.
std::filesystem::path store_root(
    const std::optional<std::string>& flag,
    const std::function<std::optional<std::string>(const std::string&)>& environment);

}  // namespace roundhouse::host
