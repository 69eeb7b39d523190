// SPDX-License-Identifier: Apache-2.0
#include "host/store/blob_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

void require_unchanged(const File& file, const FileStamp& before, const std::string& shown) {
  const FileStamp now = stamp_of(file, shown);  // a new link changes the time of change alone
  if (now.size != before.size || now.modified != before.modified)
    throw Error(RH_IO_ERROR, shown + ": changed while it was read");
}

std::string shown_file(const std::string& path) {
  return "file '" + path + "'";
}

}  // namespace

BlobWriter::BlobWriter(const StorePaths& paths, StoreSession& session) : paths_(paths), session_(session) {
  std::error_code error;
  for (fs::directory_iterator it(paths.blobs(), error), end; !error && it != end; it.increment(error)) {
    std::error_code gone;
    const auto size = it->file_size(gone);
    if (!gone) sizes_.insert(size);
  }
}

// Whether there is a file of that size; then gc keeps it from now on.
bool BlobWriter::pin(const Digest& digest, std::uint64_t size) {
  const StoreLock lock(paths_, StoreLock::Mode::exclusive);
  struct stat status {};
  if (::lstat(paths_.blob(digest).c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
      static_cast<std::uint64_t>(status.st_size) != size)
    return false;
  session_.pin(digest);
  return true;
}

bool BlobWriter::keep(const Digest& digest, std::uint64_t size, const PieceCallback& seen) {
  if (!pin(digest, size)) return false;
  try {
    return stamp_holds(paths_, digest) || digest_holds(paths_, digest, seen);
  } catch (const Error& error) {
    if (error.code() != RH_IO_ERROR) throw;
    return false;  // unreadable: to be replaced
  }
}

std::optional<BlobPlaced> BlobWriter::find(const Digest& digest, std::uint64_t size, const std::string& shown,
                                           const PieceCallback& seen) {
  BlobPlaced placed{digest, size, Placed::present, {}};
  if (!WeightDigests::apply_to(shown)) return keep(digest, size, seen) ? std::optional(placed) : std::nullopt;
  if (!pin(digest, size)) return std::nullopt;
  try {
    const File file = open_for_reading(paths_.blob(digest), shown_file(shown), false);
    const FileStamp before = stamp_of(file, shown_file(shown));
    placed = hash(file, shown_file(shown), true, seen);
    if (placed.digest != digest) return std::nullopt;
    record_stamp(paths_, digest, file, before);
  } catch (const Error& error) {
    if (error.code() != RH_IO_ERROR) throw;
    return std::nullopt;
  }
  return placed;
}

BlobPlaced BlobWriter::hash(const File& source, const std::string& shown, bool weights,
                            const std::function<void(std::string_view)>& sink) {
  WeightDigests tensors;
  std::uint64_t size = 0;
  Digest digest = digest_of_file(source, shown, [&](std::string_view bytes) {
    if (weights) tensors.update(bytes);
    size += bytes.size();
    if (sink) sink(bytes);
  });
  return {digest, size, Placed::present, weights ? tensors.finish() : std::nullopt};
}

std::optional<BlobPlaced> BlobWriter::find(const fs::path& source, const std::string& shown,
                                           const PieceCallback& seen) {
  const File file = open_for_reading(source, shown_file(shown), true);
  const std::uint64_t size = file_size(file, shown_file(shown));
  {
    const std::lock_guard lock(mutex_);
    if (!sizes_.contains(size)) return std::nullopt;
  }
  BlobPlaced placed = hash(file, shown_file(shown), WeightDigests::apply_to(shown), seen);
  if (!keep(placed.digest, placed.size)) return std::nullopt;
  return placed;
}

std::optional<Placed> BlobWriter::share(const File& source, const fs::path& temporary, LinkMode link_mode) {
  if (link_mode == LinkMode::copy) return std::nullopt;
  const std::string opened = fmt::format("/proc/self/fd/{}", source.get());
  if (link_mode == LinkMode::link &&
      ::linkat(AT_FDCWD, opened.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) == 0)
    return Placed::linked;
  const File target = create_file(temporary);
  if (::ioctl(target.get(), FICLONE, source.get()) == 0) return Placed::cloned;
  ::unlink(temporary.c_str());
  return std::nullopt;
}

bool BlobWriter::shares(const fs::path& source, const std::string& shown, LinkMode link_mode) {
  const File file = open_for_reading(source, shown_file(shown), true);
  const fs::path temporary = session_.fresh_path();
  const bool shared = share(file, temporary, link_mode).has_value();
  ::unlink(temporary.c_str());
  return shared;
}

BlobPlaced BlobWriter::copy(const File& source, const fs::path& temporary, const std::string& shown,
                            const PieceCallback& seen) {
  const File target = create_file(temporary);
  const std::string told = "store '" + paths_.root.string() + "': " + shown_file(shown);
  reserve_space(target, file_size(source, told), told);
  return hash(source, shown_file(shown), WeightDigests::apply_to(shown), [&](std::string_view bytes) {
    write_all(target, bytes, told);
    seen(bytes);
  });
}

BlobPlaced BlobWriter::place(const fs::path& source, const std::string& shown, LinkMode link_mode,
                             const PieceCallback& seen) {
  const File file = open_for_reading(source, shown_file(shown), true);
  const FileStamp before = stamp_of(file, shown_file(shown));
  const fs::path temporary = session_.fresh_path();
  const auto shared = share(file, temporary, link_mode);
  BlobPlaced placed = shared ? hash(open_for_reading(temporary, shown_file(shown), false), shown_file(shown),
                                    WeightDigests::apply_to(shown), seen)
                             : copy(file, temporary, shown, seen);
  require_unchanged(file, before, shown_file(shown));
  if (keep(placed.digest, placed.size)) {
    ::unlink(temporary.c_str());
    return placed;  // the store had it
  }
  placed.how = shared.value_or(Placed::copied);
  // The mode of a link is its owner's affair.
  if (placed.how != Placed::linked) ::chmod(temporary.c_str(), kBlobMode);
  publish(temporary, placed.digest);
  return placed;
}

OciDescriptor BlobWriter::write(const std::string& media_type, const std::string& text) {
  OciDescriptor descriptor{media_type, sha256(text), text.size(), {}};
  if (keep(descriptor.digest, descriptor.size)) return descriptor;
  const fs::path temporary = session_.fresh_path();
  write_all(create_file(temporary), text, "store '" + paths_.root.string() + "'");
  ::chmod(temporary.c_str(), kBlobMode);
  publish(temporary, descriptor.digest);
  return descriptor;
}

void BlobWriter::publish(const fs::path& temporary, const Digest& digest) {
  const StoreLock lock(paths_, StoreLock::Mode::exclusive);
  session_.pin(digest);
  const std::uint64_t size =
      file_size(open_for_reading(temporary, "temporary file", false), "temporary file");
  const bool there = stamp_holds(paths_, digest);  // another process was faster
  if (!there) rename_file(temporary, paths_.blob(digest));
  const std::lock_guard own(mutex_);
  sizes_.insert(size);
  if (!there) unsynced_.push_back(digest);
}

// All at once: the file system's first commit then carries most of what the others need.
void BlobWriter::sync() {
  for (const Digest& digest : unsynced_) {
    const std::string shown = "store '" + paths_.root.string() + "'";
    sync_file(open_for_reading(paths_.blob(digest), shown, false), shown);
  }
  unsynced_.clear();
  sync_directory(paths_.blobs());
}

}  // namespace roundhouse::host
