// SPDX-License-Identifier: Apache-2.0
#include "host/store/store_paths.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include "host/store/oci_index.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLockName = "lock";
constexpr const char* kPinPrefix = "pin-";

void require_place(const StorePaths& paths) {
  if (!paths.root.empty()) return;
  throw Error(RH_IO_ERROR,
              "the model store has no place: none of ROUNDHOUSE_HOME, XDG_DATA_HOME and HOME is set",
              "give a directory with --home or in ROUNDHOUSE_HOME");
}

// Whether the lock was taken at once; with `wait`, always.
bool take(const File& file, int operation, bool wait) {
  while (::flock(file.get(), operation | (wait ? 0 : LOCK_NB)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return false;
    throw_system("the store's lock", errno);
  }
  return true;
}

// The sessions of a store; those of processes that are gone where `dead`, else the living ones.
std::vector<fs::path> sessions(const StorePaths& paths, bool dead) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(paths.sessions(), error), end; !error && it != end; it.increment(error)) {
    if (it->is_symlink() || !it->is_directory()) continue;
    const File lock(::open((it->path() / kLockName).c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    const bool free = !lock || take(lock, LOCK_EX, false);
    if (free == dead) found.push_back(it->path());
  }
  return found;
}

}  // namespace

bool StorePaths::exists() const {
  std::error_code ignored;
  return !root.empty() && fs::exists(index(), ignored);
}

StoreLock::StoreLock(const StorePaths& paths, Mode mode) {
  if (mode == Mode::shared) {
    if (paths.root.empty()) return;
    file_ = File(::open(paths.lock().c_str(), O_RDONLY | O_CLOEXEC));
    if (file_) take(file_, LOCK_SH, true);
    return;
  }
  require_place(paths);
  make_directories(paths.root);
  file_ = File(::open(paths.lock().c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!file_) throw_system("store '" + paths.root.string() + "'", errno);
  take(file_, LOCK_EX, true);
}

StoreSession::StoreSession(const StorePaths& paths) {
  const StoreLock store(paths, StoreLock::Mode::exclusive);
  remove_dead_sessions(paths, false);
  make_directories(paths.sessions());
  std::error_code ignored;
  const bool fresh = !fs::exists(paths.index(), ignored) && !fs::exists(paths.layout(), ignored) &&
                     fs::directory_iterator(paths.blobs(), ignored) == fs::directory_iterator();
  make_directories(paths.blobs());
  std::string pattern = (paths.sessions() / "session-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw_system("directory '" + pattern + "'", errno);
  directory_ = pattern;
  lock_ = create_file(directory_ / kLockName);
  take(lock_, LOCK_EX, true);
  if (fresh) OciIndex().write(paths, *this);  // from now on, blobs without an index mean damage
}

StoreSession::~StoreSession() {
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

fs::path StoreSession::fresh_path() {
  return directory_ / (fmt::format("file-{}", given_++));
}

void StoreSession::pin(const Digest& digest) const {
  const fs::path pin = directory_ / (kPinPrefix + digest.hex());
  const File file(::open(pin.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!file) throw_system("file '" + pin.string() + "'", errno);
}

std::set<Digest> pinned_blobs(const StorePaths& paths) {
  std::set<Digest> pinned;
  for (const fs::path& session : sessions(paths, false)) {
    std::error_code error;
    for (fs::directory_iterator it(session, error), end; !error && it != end; it.increment(error)) {
      const std::string name = it->path().filename().string();
      if (!name.starts_with(kPinPrefix)) continue;
      if (const auto digest = Digest::from_hex(name.substr(4))) pinned.insert(*digest);
    }
    if (error) throw_system("directory '" + session.string() + "'", error.value());
  }
  return pinned;
}

Leftovers remove_dead_sessions(const StorePaths& paths, bool dry_run) {
  Leftovers leftovers;
  for (const fs::path& session : sessions(paths, true)) {
    leftovers.directories.push_back(session);
    leftovers.bytes += bytes_beneath(session);
    std::error_code ignored;
    if (!dry_run) fs::remove_all(session, ignored);
  }
  return leftovers;
}

std::uint64_t bytes_beneath(const fs::path& directory) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    if (it->is_symlink(gone) || !it->is_regular_file(gone)) continue;
    const auto size = it->file_size(gone);
    if (!gone) bytes += size;
  }
  return bytes;
}

void replace_file(StoreSession& session, const fs::path& path, std::string_view text) {
  const fs::path temporary = session.fresh_path();
  const std::string shown = "file '" + path.string() + "'";
  {
    const File file = create_file(temporary);
    write_all(file, text, shown);
    sync_file(file, shown);
  }
  rename_file(temporary, path);
  sync_directory(path.parent_path());
}

}  // namespace roundhouse::host
