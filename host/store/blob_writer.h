// SPDX-License-Identifier: Apache-2.0
// How blobs get into the store: written beside, hashed, made durable, then renamed to their digest.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/oci_manifest.h"
#include "host/store/stamp.h"
#include "host/store/store.h"
#include "host/store/weight_digests.h"

namespace roundhouse::host {

inline constexpr mode_t kBlobMode = 0444;  // blobs are written once

// What became of a source file.
enum class Placed { present, linked, cloned, copied, fetched };
struct BlobPlaced {
  Digest digest;
  std::uint64_t size = 0;
  Placed how = Placed::present;
  std::optional<WeightRecord> weights;  // of a file of weights
};

// Blobs written by it are pinned until the session ends. May be used by several threads.
class BlobWriter {
 public:
  BlobWriter(const StorePaths& paths, StoreSession& session);

  // The file's blob where the store has it whole; damaged ones do not count. Hashes the source only when some
  // blob has its size.
  std::optional<BlobPlaced> find(const std::filesystem::path& source, const std::string& shown,
                                 const PieceCallback& seen);
  // The same for a blob whose digest is known. `seen` gets what has to be hashed, as for safetensors files
  // everything.
  std::optional<BlobPlaced> find(const Digest& digest, std::uint64_t size, const std::string& shown,
                                 const PieceCallback& seen);
  // Takes the file in. Throws IO_ERROR when it changes meanwhile.
  BlobPlaced place(const std::filesystem::path& source, const std::string& shown, LinkMode link_mode,
                   const PieceCallback& seen);
  OciDescriptor write(const std::string& media_type, const std::string& text);
  // Gives a file of the session, already hashed and closed, its name.
  void publish(const std::filesystem::path& temporary, const Digest& digest);

  // Whether `place` would need no space for that file.
  bool shares(const std::filesystem::path& source, const std::string& shown, LinkMode link_mode);

  // Whether the store has the blob whole; then it is pinned. `seen` gets what has to be hashed.
  bool keep(const Digest& digest, std::uint64_t size, const PieceCallback& seen = {});

  // Makes all that was published durable. To be called before a name is given to any of it.
  void sync();

 private:
  bool pin(const Digest& digest, std::uint64_t size);
  std::optional<Placed> share(const File& source, const std::filesystem::path& temporary, LinkMode link_mode);
  BlobPlaced hash(const File& source, const std::string& shown, bool weights,
                  const std::function<void(std::string_view)>& sink);
  BlobPlaced copy(const File& source, const std::filesystem::path& temporary, const std::string& shown,
                  const PieceCallback& seen);

  const StorePaths& paths_;
  StoreSession& session_;
  std::mutex mutex_;               // for what follows
  std::set<std::uint64_t> sizes_;  // of the blobs that were there at the start, and since
  std::vector<Digest> unsynced_;
};

}  // namespace roundhouse::host
