// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "host/sources/hub_cache.h"
#include "host/sources/hub_choice.h"
#include "host/store/model_files.h"
#include "host/store/oci_manifest.h"

namespace roundhouse::host {
namespace {

std::string beneath(const std::string& folder, const std::string& path) {
  return folder.empty() ? path : folder + "/" + path;
}

// Those of the files that the part wants, with their paths in the model.
std::vector<HubItem> chosen_items(const HubPart& part, const HubRepository& at,
                                  const std::vector<HubFile>& files, bool alone) {
  const std::string prefix = part.from.empty() ? "" : part.from + "/";
  std::map<std::string, const HubFile*> by_path;  // beneath the folder
  std::vector<std::string> paths;
  for (const HubFile& file : files) {
    if (!file.path.starts_with(prefix)) continue;
    paths.push_back(file.path.substr(prefix.size()));
    by_path[paths.back()] = &file;
  }
  std::vector<HubItem> items;
  if (part.wants) {
    std::erase_if(paths, [&](const std::string& path) { return !part.wants(path); });
  } else {
    std::vector<std::string> chosen = model_paths(paths);
    // What a part among others lacks, another may have.
    if (prefix.empty() && part.to.empty() && alone) require_model(part.repository.text(), paths, chosen);
    paths = std::move(chosen);
  }
  for (const std::string& path : paths) {
    items.push_back({beneath(part.to, path), at, *by_path.at(path), {}});
    require_safe_path(items.back().path, "model");
  }
  if (items.empty())
    throw Error(RH_WEIGHTS_MISSING,
                fmt::format("{}: none of its {} files{} is wanted", part.repository.text(), files.size(),
                            (prefix.empty() ? "" : " under '" + part.from + "'")),
                "see the repository's page for what it holds");
  return items;
}

void refuse_conflicts(const std::vector<HubItem>& items) {
  std::set<std::string> paths;
  for (const HubItem& item : items) {
    if (!paths.insert(item.path).second)
      throw Error(RH_UNSAFE_NAME, "model: two files are to be '" + item.path + "'");
  }
  for (const HubItem& item : items) {
    for (auto slash = item.path.find('/'); slash != std::string::npos;
         slash = item.path.find('/', slash + 1)) {
      if (paths.contains(item.path.substr(0, slash)))
        throw Error(RH_UNSAFE_NAME, "model: '" + item.path.substr(0, slash) + "' is a file and a directory");
    }
  }
}

// The parts one after the other; `listed` gives the commit and the files of a repository.
template <class Listed>
HubPlan plan_of(const std::vector<HubPart>& parts, const HubOptions& options, Listed listed) {
  HubPlan plan;
  std::map<std::string, std::pair<std::string, std::vector<HubFile>>> known;  // by source
  for (const HubPart& part : parts) {
    require_hub_names(part.repository);
    auto at = known.find(part.repository.text());
    if (at == known.end()) at = known.emplace(part.repository.text(), listed(part.repository)).first;
    const auto& [commit, files] = at->second;
    if (plan.commit.empty()) plan.commit = commit;
    const HubCache cache(options.cache, part.repository.name);
    for (HubItem& item : chosen_items(part, {part.repository.name, commit}, files, parts.size() == 1)) {
      item.cached = cache.candidates(item.file, commit);
      plan.items.push_back(std::move(item));
    }
  }
  refuse_conflicts(plan.items);
  return plan;
}

}  // namespace

HubPlan plan_of_hub(const std::vector<HubPart>& parts, const HubOptions& options, HttpClient& client) {
  return plan_of(parts, options, [&](const HubRepository& repository) {
    HubApi api(options, client);
    const std::string commit = api.commit(repository);
    return std::pair(commit, api.files(repository.name, commit));
  });
}

HubPlan plan_of_cache(const std::vector<HubPart>& parts, const HubOptions& options) {
  return plan_of(parts, options, [&](const HubRepository& repository) {
    const HubCache cache(options.cache, repository.name);
    const auto commit = cache.commit(repository.revision);
    if (!commit)
      throw Error(RH_WEIGHTS_MISSING,
                  repository.text() + ": the hub's cache '" + options.cache.string() + "' does not hold it",
                  "pull it with a network, or say where the cache is in HF_HUB_CACHE");
    std::vector<HubFile> files;
    for (const SourceFile& file : model_files(cache.snapshot(*commit)))
      files.push_back({file.path, file.size, {}, {}});
    return std::pair(*commit, files);
  });
}

}  // namespace roundhouse::host
