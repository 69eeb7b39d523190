// SPDX-License-Identifier: Apache-2.0
// How far a pull from a hub is.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <string>

#include "host/sources/hub_plan.h"
#include "host/store/store.h"

namespace roundhouse::host {

// How far all files together are; from any thread.
class Meter {
 public:
  explicit Meter(const ProgressCallback& progress) : progress_(progress) {}

  // Before the work begins.
  void expect(std::uint64_t size, std::uint64_t missing) {
    total_ += size;
    done_ += static_cast<std::int64_t>(size - missing);
    before_ = static_cast<std::uint64_t>(done_);
  }
  void move(const std::string& path, std::int64_t bytes, const FileProgress& file) {
    const std::lock_guard lock(mutex_);
    done_ += bytes;
    if (!progress_) return;
    const auto done = static_cast<std::uint64_t>(std::max<std::int64_t>(done_, 0));
    progress_({path, std::min(done, total_), total_, std::min(before_, done), file});
  }

 private:
  const ProgressCallback& progress_;
  std::mutex mutex_;
  std::int64_t done_ = 0;
  std::uint64_t total_ = 0, before_ = 0;
};

inline std::string listed_digest(const HubFile& file) {
  if (file.sha256) return file.sha256->text();
  return file.git_sha1.empty() ? "" : "git-sha1:" + file.git_sha1;
}

// What is said of one file moves the meter by the difference to what was said before.
class FileMeter {
 public:
  FileMeter(Meter& meter, const HubItem& item, std::uint64_t said)
      : meter_(meter), path_(item.path), file_{listed_digest(item.file), said, item.file.size} {}
  void set(std::uint64_t bytes) {
    const auto difference = static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(file_.done);
    file_.done = bytes;
    meter_.move(path_, difference, file_);
  }

 private:
  Meter& meter_;
  const std::string& path_;
  FileProgress file_;
};

}  // namespace roundhouse::host
