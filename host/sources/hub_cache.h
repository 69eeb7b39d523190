// SPDX-License-Identifier: Apache-2.0
// The cache that the hub's own clients keep: read, never written.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/sources/hub_api.h"

namespace roundhouse::host {

class HubCache {
 public:
  HubCache(const std::filesystem::path& cache, const std::string& repository);

  // The commit that a revision stood for when it was fetched last.
  std::optional<std::string> commit(const std::string& revision) const;
  std::filesystem::path snapshot(const std::string& commit) const;
  // Files that ought to have that content; what they hold is for the caller to see.
  std::vector<std::filesystem::path> candidates(const HubFile& file, const std::string& commit) const;

 private:
  std::filesystem::path directory_;  // empty: there is no cache
};

}  // namespace roundhouse::host
