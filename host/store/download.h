// SPDX-License-Identifier: Apache-2.0
// Files on their way into the store from elsewhere. What has arrived outlives the process, however it ends,
// and the next one goes on from there.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "host/store/blob_writer.h"

namespace roundhouse::host {

// A file as its source has described it beforehand: its size and one of the two digests.
struct DownloadTarget {
  std::string path;        // in the model directory; in messages, and tells whether it holds weights
  std::uint64_t size = 0;  // bytes
  std::optional<Digest> sha256;
  std::string git_sha1;  // of the git blob: 40 lower-case hexadecimal digits, or empty
  std::string scope;     // with git_sha1: whose file it is, since others could make one of the same digest
};

// One file in the making, in the directory cache/downloads of the store. As long as it lives, nobody else has
// the same file in the making, be it in another thread or process: the constructor waits. `tick` is called
// while it waits or hashes, at least ten times a second as far as the disk allows, and may throw.
class Download {
 public:
  Download(const StorePaths& paths, DownloadTarget target, std::function<void()> tick);
  ~Download();
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

  // The file's blob where the store has it whole, by this process, another or an earlier one; then nothing is
  // to be done.
  std::optional<BlobPlaced> present(BlobWriter& writer);

  // How many bytes from the start are there; those that follow go to `append`.
  std::uint64_t have() const;
  bool complete() const { return have() == target_.size; }
  // Throws SOURCE_REJECTED for more bytes than the file has, INSUFFICIENT_STORAGE, IO_ERROR.
  void append(std::string_view bytes);
  void restart();  // from the first byte

  // Makes a blob of what is there. When it is not what was described (also when bytes are missing), removes
  // it and throws INTEGRITY_MISMATCH with expected and found.
  BlobPlaced publish(BlobWriter& writer);

  // For what is to be read and to go rather than to become a blob: the bytes so far, and their end.
  std::filesystem::path path() const;
  void discard();

 private:
  class Hashes;
  void open_locked();
  void catch_up();
  void require_expected(const Digest& digest, const std::string& git_sha1) const;
  std::filesystem::path file(const char* ending) const;

  const StorePaths& paths_;
  const DownloadTarget target_;
  const std::function<void()> tick_;
  const std::string shown_;  // "file 'vae/config.json'"
  File part_;
  std::uint64_t have_ = 0;
  std::unique_ptr<Hashes> hashes_;  // of the first `have_` bytes, once they were read
};

// How many bytes of the file would have to come over the network; 0 when the store has it. A guess: another
// process may be at work on it.
std::uint64_t missing_bytes(const StorePaths& paths, const DownloadTarget& target);

// Blobs that downloads have become and that no model was made of yet: gc keeps them for the next pull.
std::set<Digest> fetched_blobs(const StorePaths& paths);
// A model has them now, and what becomes of it becomes of them.
void forget_fetched(const StorePaths& paths, const std::vector<OciDescriptor>& blobs);

struct PartialDownloads {
  std::vector<std::filesystem::path> files;
  std::uint64_t bytes = 0;
};
// Removes what no living process is at work on; what is remembered of unfinished uploads, too.
PartialDownloads remove_idle_downloads(const StorePaths& paths);

}  // namespace roundhouse::host
