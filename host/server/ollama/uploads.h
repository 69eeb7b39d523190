// SPDX-License-Identifier: Apache-2.0
// Blobs that clients have sent and no model needs yet.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "host/store/blob_writer.h"
#include "host/store/store_paths.h"

namespace roundhouse::host::ollama {

// Keeps what was uploaded in the store, safe from gc, until the daemon ends. Any thread.
class Uploads {
 public:
  // `store_root` empty: every upload is refused with IO_ERROR.
  explicit Uploads(std::filesystem::path store_root) : paths_{std::move(store_root)} {}

  // Whether the store has that blob; from then on it is kept as if it had been uploaded.
  bool has(const Digest& digest);
  // Takes the bytes that `next` gives, up to an empty piece. `size` is how many were announced, 0 for
  // unknown. Throws INTEGRITY_MISMATCH when they are others, INSUFFICIENT_STORAGE, IO_ERROR, and what `next`
  // throws; nothing stays then.
  void take(const Digest& digest, std::uint64_t size, const std::function<std::string()>& next);

  std::filesystem::path path(const Digest& digest) const { return paths_.blob(digest); }

 private:
  StoreSession& session();
  std::filesystem::path fresh_path();
  void pin(const Digest& digest);

  const StorePaths paths_;
  std::mutex mutex_;
  std::unique_ptr<StoreSession> session_;
};

}  // namespace roundhouse::host::ollama
