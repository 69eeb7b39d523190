// SPDX-License-Identifier: Apache-2.0
// Where things lie in a store, and who may change them when: one lock for short changes, and a working
// directory for everybody who takes longer.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "host/store/digest.h"
#include "host/store/file.h"

namespace roundhouse::host {

// oci-layout, index.json and blobs/ are the OCI image layout; the rest is ours:
//   lock     flock: exclusive for every change of the index or of which blobs there are, held for moments
//   tmp/     a directory for each process at work, see StoreSession
//   views/   directories of links that show a model's blobs under their names
//   stamps/  what a blob's file looked like when its digest was last found right
//   cache/downloads/  files on their way from elsewhere, see Download
struct StorePaths {
  std::filesystem::path root;

  std::filesystem::path layout() const { return root / "oci-layout"; }
  std::filesystem::path index() const { return root / "index.json"; }
  std::filesystem::path blobs() const { return root / "blobs/sha256"; }
  std::filesystem::path blob(const Digest& digest) const { return blobs() / digest.hex(); }
  std::filesystem::path lock() const { return root / "lock"; }
  std::filesystem::path sessions() const { return root / "tmp"; }
  std::filesystem::path views() const { return root / "views"; }
  std::filesystem::path view(const Digest& manifest) const { return views() / manifest.hex(); }
  std::filesystem::path stamps() const { return root / "stamps"; }
  std::filesystem::path stamp(const Digest& digest) const { return stamps() / digest.hex(); }
  std::filesystem::path downloads() const { return root / "cache/downloads"; }

  bool exists() const;
};

// Held from construction to destruction, among threads and processes alike. An exclusive lock makes the store
// where there is none; a shared one of a store that is not there holds nothing. Throws IO_ERROR.
class StoreLock {
 public:
  enum class Mode { shared, exclusive };
  StoreLock(const StorePaths& paths, Mode mode);

 private:
  File file_;
};

// A directory under tmp/ for files in the making and for pins: blobs that gc must keep although no model
// names them yet. It is alive as long as its process holds its lock; what a killed process leaves is
// nobody's.
class StoreSession {
 public:
  // Takes the store's lock for a moment, and removes what killed processes left.
  explicit StoreSession(const StorePaths& paths);
  ~StoreSession();
  StoreSession(const StoreSession&) = delete;
  StoreSession& operator=(const StoreSession&) = delete;

  // A path in the directory that was not given out before. From any thread.
  std::filesystem::path fresh_path();
  // The store's exclusive lock must be held.
  void pin(const Digest& digest) const;

 private:
  std::filesystem::path directory_;
  File lock_;
  std::atomic<unsigned> given_ = 0;
};

// Blobs that living sessions have pinned. The store's lock must be held.
std::set<Digest> pinned_blobs(const StorePaths& paths);

struct Leftovers {
  std::vector<std::filesystem::path> directories;
  std::uint64_t bytes = 0;
};
// Session directories of processes that are gone; removes them unless `dry_run`. The store's exclusive lock
// must be held.
Leftovers remove_dead_sessions(const StorePaths& paths, bool dry_run);

// Bytes of all regular files beneath a directory, without following links.
std::uint64_t bytes_beneath(const std::filesystem::path& directory);

// Writes a small file whole, through a session's temporary file, durably.
void replace_file(StoreSession& session, const std::filesystem::path& path, std::string_view text);

}  // namespace roundhouse::host
