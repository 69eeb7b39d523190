// SPDX-License-Identifier: Apache-2.0
// Which files a pull from a hub needs, and where each can come from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "host/sources/hub.h"
#include "host/sources/hub_api.h"
#include "host/store/download.h"

namespace roundhouse::host {

struct HubItem {
  std::string path;          // in the model
  HubRepository repository;  // with the commit for a revision
  HubFile file;              // as the hub lists it; without digests when it is known from the cache alone
  std::vector<std::filesystem::path> cached;  // files of the hub's cache that may be it

  DownloadTarget target() const { return {path, file.size, file.sha256, file.git_sha1, repository.name}; }
};

struct HubPlan {
  std::vector<HubItem> items;
  std::string commit;              // of the first part
  std::vector<std::string> notes;  // about what was chosen among several
};

// Asks the hub. Throws UNSAFE_NAME when two parts bring the same path, WEIGHTS_MISSING for a part without
// files.
HubPlan plan_of_hub(const std::vector<HubPart>& parts, const HubOptions& options, HttpClient& client);
// Looks into the cache only.
HubPlan plan_of_cache(const std::vector<HubPart>& parts, const HubOptions& options);

}  // namespace roundhouse::host
