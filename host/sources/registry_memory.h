// SPDX-License-Identifier: Apache-2.0
// What is worth remembering of registries between runs: where blobs are that another repository could mount,
// and uploads that were not finished. Lies under cache/ of the store; lost or wrong, it costs time only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "host/sources/registry_reference.h"
#include "host/store/file.h"
#include "host/store/store_paths.h"

namespace roundhouse::host {

// Which repositories of one registry had which blobs when they were last seen there.
class BlobMemory {
 public:
  // Reads what is known. Throws IO_ERROR only for what is no regular file.
  BlobMemory(const StorePaths& paths, const std::string& registry);

  // A repository other than `target` that had the blob; empty without.
  std::string elsewhere(const Digest& digest, const std::string& target) const;
  // Adds to what is known now, also by other processes. Throws IO_ERROR, INSUFFICIENT_STORAGE.
  void add(const std::string& repository, const std::vector<Digest>& digests);

 private:
  using Known = std::map<std::string, std::set<std::string>>;  // repository to hexadecimal digests
  static Known parse(const std::string& text);

  std::filesystem::path file_;
  Known known_;
};

// Where the registry keeps an unfinished upload of one blob. Held by one process at a time; another that
// pushes the same blob meanwhile remembers nothing.
class UploadMemory {
 public:
  UploadMemory(const StorePaths& paths, const RegistryReference& reference, const Digest& digest);

  std::optional<Url> location() const;
  void keep(const Url& location);
  void forget();

 private:
  std::filesystem::path path_;
  File file_;  // none where another process has it
};

}  // namespace roundhouse::host
