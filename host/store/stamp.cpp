// SPDX-License-Identifier: Apache-2.0
#include "host/store/stamp.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cinttypes>
#include <cstdio>
#include <system_error>

#include "host/store/small_file.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

// Longer than the grain of a file system's clock: a file that is younger could change and keep its times.
constexpr std::int64_t kGrain = 20'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string stamp_text(const FileStamp& stamp) {
  return fmt::format("{} {} {} {}\n", stamp.size, stamp.inode, stamp.modified, stamp.changed);
}

void record(const StorePaths& paths, const Digest& digest, const FileStamp& stamp) {
  const std::int64_t now = std::chrono::duration_cast<std::chrono::nanoseconds>(
                               std::chrono::system_clock::now().time_since_epoch())
                               .count();
  if (now - stamp.changed < kGrain && now >= stamp.changed) return;
  try {
    make_directories(paths.stamps());
    // Unique among threads and processes, and not beneath tmp/, where only a session may write.
    const auto temporary = paths.stamps() / (fmt::format("{}.{}.{}", digest.hex(), ::getpid(),
                                                         reinterpret_cast<std::uintptr_t>(&stamp)));
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    write_all(create_file(temporary), stamp_text(stamp), "stamp");
    rename_file(temporary, paths.stamp(digest));
  } catch (const Error&) {
    return;  // a store that may only be read is hashed anew each time
  }
}

std::string shown_blob(const Digest& digest) {
  return "blob " + digest.text();
}

}  // namespace

FileStamp stamp_of(const File& file, const std::string& shown) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw_system(shown, errno);
  return {static_cast<std::uint64_t>(status.st_size), static_cast<std::uint64_t>(status.st_ino),
          nanoseconds(status.st_mtim), nanoseconds(status.st_ctim)};
}

Digest digest_of_file(const File& file, const std::string& shown, const PieceCallback& seen) {
  Sha256 hash;
  read_pieces(file, shown, [&](std::string_view bytes) {
    hash.update(bytes);
    if (seen) seen(bytes);
    return true;
  });
  return hash.finish();
}

bool stamp_holds(const StorePaths& paths, const Digest& digest) {
  try {
    const auto text = read_small_file(paths.stamp(digest), "stamp", 256);
    if (!text) return false;
    const File file = open_for_reading(paths.blob(digest), shown_blob(digest), false);
    return *text == stamp_text(stamp_of(file, shown_blob(digest)));
  } catch (const Error&) {
    return false;
  }
}

bool digest_holds(const StorePaths& paths, const Digest& digest, const PieceCallback& seen) {
  const File file = open_for_reading(paths.blob(digest), shown_blob(digest), false);
  const FileStamp before = stamp_of(file, shown_blob(digest));
  if (digest_of_file(file, shown_blob(digest), seen) != digest) return false;
  record_stamp(paths, digest, file, before);
  return true;
}

void record_stamp(const StorePaths& paths, const Digest& digest, const File& file, const FileStamp& before) {
  if (stamp_of(file, shown_blob(digest)) == before) record(paths, digest, before);
}

}  // namespace roundhouse::host
