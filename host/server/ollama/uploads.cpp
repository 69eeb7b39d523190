// SPDX-License-Identifier: Apache-2.0
#include "host/server/ollama/uploads.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "host/store/stamp.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host::ollama {
namespace {

constexpr mode_t kBlobMode = 0444;  // as all blobs

// Removes a file at the end of a failed upload.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::filesystem::path path) : path_(std::move(path)) {}
  ~TemporaryFile() { ::unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  const std::filesystem::path path_;
};

}  // namespace

StoreSession& Uploads::session() {
  if (paths_.root.empty())
    throw Error(RH_IO_ERROR, "there is no store: neither a home directory nor ROUNDHOUSE_HOME is known");
  if (!session_) session_ = std::make_unique<StoreSession>(paths_);
  return *session_;
}

std::filesystem::path Uploads::fresh_path() {
  const std::lock_guard guard(mutex_);
  return session().fresh_path();
}

bool Uploads::has(const Digest& digest) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(paths_.blob(digest), ignored);
  if (ignored) return false;
  const std::lock_guard guard(mutex_);
  return BlobWriter(paths_, session()).keep(digest, size);
}

void Uploads::take(const Digest& digest, std::uint64_t size, const std::function<std::string()>& next) {
  const TemporaryFile temporary(fresh_path());
  const std::string shown = "store '" + paths_.root.string() + "': blob " + digest.text();
  Sha256 hash;
  {
    const File file = create_file(temporary.path());
    reserve_space(file, size, shown);
    std::uint64_t written = 0;
    for (std::string piece = next(); !piece.empty(); piece = next()) {
      write_all(file, piece, shown);
      hash.update(piece);
      written += piece.size();
    }
    if (::ftruncate(file.get(), static_cast<off_t>(written)) != 0) throw_system(shown, errno);
    sync_file(file, shown);
  }
  const Digest found = hash.finish();
  if (found != digest) {
    throw Error(RH_INTEGRITY_MISMATCH,
                "blob: sha256 is " + found.text() + ", expected " + digest.text() + " as the address says");
  }
  ::chmod(temporary.path().c_str(), kBlobMode);
  const std::lock_guard guard(mutex_);
  BlobWriter writer(paths_, session());
  writer.publish(temporary.path(), digest);
  writer.sync();
}

}  // namespace roundhouse::host::ollama
