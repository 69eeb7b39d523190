// SPDX-License-Identifier: Apache-2.0
// What may leave the store: names, blobs that no name needs, views, what killed processes left.
#include <algorithm>
#include <set>

#include "host/store/download.h"
#include "host/store/small_file.h"
#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr int kMaximumNesting = 8;  // of indexes in indexes

// Adds everything that a manifest or index needs, itself included.
void mark(const StorePaths& paths, const OciDescriptor& entry, int depth, std::set<Digest>& needed) {
  if (!needed.insert(entry.digest).second) return;
  const std::string& type = entry.media_type;
  const bool manifest = type.find(".manifest.") != std::string::npos;
  if (!manifest && type.find(".index.") == std::string::npos) return;
  if (depth > kMaximumNesting) throw Error(RH_MODEL_INVALID, "index.json: indexes nested deeper than 8");
  const std::string shown = "manifest " + entry.digest.text();
  const auto json = parse_json_object(read_blob(paths, entry.digest, kMaximumManifestBytes, shown), shown);
  for (const OciDescriptor& reference : references_of(json, shown))
    mark(paths, reference, depth + 1, needed);
}

// What any name needs. A manifest that is missing or cannot be read hides what it needs, so that nothing can
// be said: MODEL_INVALID.
std::set<Digest> needed_blobs(const StorePaths& paths, const OciIndex& index) {
  std::set<Digest> needed;
  for (const OciDescriptor& entry : index.entries()) {
    try {
      mark(paths, entry, 0, needed);
    } catch (const Error& error) {
      throw Error(error.code() == RH_WEIGHTS_MISSING ? RH_MODEL_INVALID : error.code(),
                  "model '" + entry_name(entry) +
                      "': what it needs cannot be told, so nothing is removed: " + error.what(),
                  "remove the damaged model by name ('roundhouse rm'), then try again");
    }
  }
  return needed;
}

void remove_file(const fs::path& file) {
  std::error_code error;
  fs::remove(file, error);
  if (error) throw_system("file '" + file.string() + "'", error.value());
}

// Removes the blobs of the directory that are in neither set; only those of `candidates` where it is given.
void sweep(const StorePaths& paths, const std::set<Digest>& needed, const std::set<Digest>* candidates,
           bool dry_run, Collection& collection) {
  const std::set<Digest> pinned = pinned_blobs(paths), fetched = fetched_blobs(paths);
  std::error_code error;
  for (fs::directory_iterator it(paths.blobs(), error), end; !error && it != end; it.increment(error)) {
    const auto digest = Digest::from_hex(it->path().filename().string());
    if (!digest || needed.contains(*digest) || pinned.contains(*digest)) continue;
    if (fetched.contains(*digest)) continue;
    if (candidates != nullptr && !candidates->contains(*digest)) continue;
    std::error_code gone;
    const auto size = it->is_symlink(gone) ? 0 : it->file_size(gone);
    if (!gone) collection.bytes += size;
    collection.blobs.push_back(*digest);
  }
  std::sort(collection.blobs.begin(), collection.blobs.end());
  if (dry_run) return;
  for (const Digest& digest : collection.blobs) {
    remove_file(paths.blob(digest));
    std::error_code ignored;
    fs::remove(paths.stamp(digest), ignored);
  }
}

// Views of manifests that `keep` does not name.
void sweep_views(const StorePaths& paths, const std::set<Digest>& keep, bool dry_run,
                 Collection& collection) {
  std::error_code error;
  for (fs::directory_iterator it(paths.views(), error), end; !error && it != end; it.increment(error)) {
    const auto digest = Digest::from_hex(it->path().filename().string());
    if (digest && keep.contains(*digest)) continue;
    collection.views.push_back(it->path());
  }
  std::sort(collection.views.begin(), collection.views.end());
  std::error_code ignored;
  if (dry_run) return;
  for (const fs::path& view : collection.views)
    fs::remove_all(view, ignored);
}

// Stamps of blobs that are not there, and those that were never finished.
void sweep_stamps(const StorePaths& paths) {
  std::error_code error;
  for (fs::directory_iterator it(paths.stamps(), error), end; !error && it != end; it.increment(error)) {
    const auto digest = Digest::from_hex(it->path().filename().string());
    std::error_code ignored;
    if (!digest || !fs::exists(paths.blob(*digest), ignored)) fs::remove(it->path(), ignored);
  }
}

void sweep_sessions(const StorePaths& paths, bool dry_run, Collection& collection) {
  const Leftovers leftovers = remove_dead_sessions(paths, dry_run);
  collection.leftovers = leftovers.directories;
  collection.bytes += leftovers.bytes;
}

}  // namespace

Collection Store::remove(const ModelName& name, bool prune) {
  get(name);
  Collection collection;
  StoreSession session(paths_);
  const StoreLock lock(paths_, StoreLock::Mode::exclusive);
  OciIndex index = OciIndex::read(paths_);
  const OciDescriptor* found = index.find(name.text());
  if (found == nullptr) return collection;  // another process was faster
  std::set<Digest> candidates;
  if (prune) {
    try {
      mark(paths_, *found, 0, candidates);
    } catch (const Error&) {
      candidates.clear();  // damaged: what it needs cannot be told, and gc takes it
    }
  }
  index.remove(name.text());
  // Before the name goes, so that nothing is done by half where another model is damaged.
  const std::set<Digest> needed = candidates.empty() ? std::set<Digest>{} : needed_blobs(paths_, index);
  index.write(paths_, session);
  if (candidates.empty()) return collection;
  sweep(paths_, needed, &candidates, false, collection);
  sweep_views(paths_, needed, false, collection);
  return collection;
}

Collection Store::collect(bool dry_run) {
  Collection collection;
  std::error_code ignored;
  if (!paths_.exists() && !fs::exists(paths_.sessions(), ignored) && !fs::exists(paths_.blobs(), ignored))
    return collection;
  const StoreLock lock(paths_, StoreLock::Mode::exclusive);
  const std::set<Digest> needed = needed_blobs(paths_, OciIndex::read(paths_));
  sweep_sessions(paths_, dry_run, collection);
  sweep(paths_, needed, nullptr, dry_run, collection);
  sweep_views(paths_, needed, dry_run, collection);
  if (!dry_run) sweep_stamps(paths_);
  return collection;
}

Collection Store::clean() {
  Collection collection;
  if (!paths_.exists() && !fs::exists(paths_.sessions()) && !fs::exists(paths_.downloads()))
    return collection;
  PartialDownloads downloads = remove_idle_downloads(paths_);
  collection.downloads = std::move(downloads.files);
  collection.bytes += downloads.bytes;
  const StoreLock lock(paths_, StoreLock::Mode::exclusive);
  sweep_sessions(paths_, false, collection);
  sweep_views(paths_, {}, false, collection);
  return collection;
}

}  // namespace roundhouse::host
