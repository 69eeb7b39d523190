// SPDX-License-Identifier: Apache-2.0
// Whether a file is still the one whose digest was found right: size, times and inode, a hash only when those
// changed.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "host/store/digest.h"
#include "host/store/file.h"
#include "host/store/store_paths.h"

namespace roundhouse::host {

// What stat says of a file that changes whenever its content or its place does. Times in nanoseconds.
struct FileStamp {
  std::uint64_t size = 0, inode = 0;
  std::int64_t modified = 0, changed = 0;
  bool operator==(const FileStamp&) const = default;
};
FileStamp stamp_of(const File& file, const std::string& shown);

// Gets every piece that is hashed, and may throw (CANCELLED).
using PieceCallback = std::function<void(std::string_view)>;

// The digest of a whole file.
Digest digest_of_file(const File& file, const std::string& shown, const PieceCallback& seen);

// Records that the blob's open file was found right, unless it changed since `before`. A stamp that cannot be
// written costs only time later.
void record_stamp(const StorePaths& paths, const Digest& digest, const File& file, const FileStamp& before);

// Whether the blob's file has the stamp that was recorded when its digest was last found right.
bool stamp_holds(const StorePaths& paths, const Digest& digest);

// Hashes the blob's file and records its stamp when it has that digest and did not change meanwhile. Returns
// whether it has. Throws IO_ERROR when it cannot be read.
bool digest_holds(const StorePaths& paths, const Digest& digest, const PieceCallback& seen);

}  // namespace roundhouse::host
