// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "host/sources/hub_cache.h"
#include "host/sources/hub_choice.h"
#include "host/sources/hub_single.h"
#include "host/store/model_files.h"
#include "host/store/oci_manifest.h"

namespace roundhouse::host {
namespace {

std::string beneath(const std::string& folder, const std::string& path) {
  return folder.empty() ? path : folder + "/" + path;
}

bool is_lora(const std::vector<std::string>& paths) {
  return std::any_of(paths.begin(), paths.end(), [](const std::string& path) {
    return path.ends_with("adapter_config.json") || path.ends_with("pytorch_lora_weights.safetensors");
  });
}

// A network of diffusers in a repository of its own.
bool is_component(const std::vector<std::string>& chosen) {
  return std::ranges::any_of(chosen, [](const std::string& path) {
    return path.starts_with("diffusion_pytorch_model.") || path.starts_with("diffusion_pytorch_model-");
  });
}

// Without it a pull would fetch what makes no model. Throws OneFileOnly, WEIGHTS_MISSING.
void require_model(const HubRepository& repository, const std::vector<std::string>& paths,
                   const std::vector<std::string>& chosen) {
  if (is_component(chosen))
    throw Error(RH_WEIGHTS_MISSING,
                repository.text() + ": is one component alone, expected --base MODEL with the others",
                "roundhouse pull " + repository.text() + " --base MODEL --name NAME");
  if (is_model(chosen)) return;
  if (is_lora(paths) || single_files(paths).empty()) refuse_no_model(repository.text(), paths, chosen);
  const std::string path = choose_single_file(repository, paths);
  throw OneFileOnly(repository.text() + ": is no model directory, but holds one file: " + path, path);
}

// One file, or a component: the repository's root, or its only folder.
HubChoice choose_parts(const HubPart& part, const std::vector<std::string>& paths) {
  const std::vector<std::string> chosen = model_paths(paths);
  if (part.repository.file.empty() && is_model(chosen)) {
    if (is_component(chosen)) return choose_precision(part.repository.text(), chosen, part.variant);
    throw Error(RH_INVALID_ARGUMENT, "source '" + part.repository.text() +
                                         "': is a whole model, which takes no --base and no --component");
  }
  const std::string path = choose_single_file(part.repository, paths);
  return {{{path, path.substr(path.rfind('/') + 1)}}, {}};
}

HubChoice choose(const HubPart& part, std::vector<std::string> paths, bool whole) {
  if (part.parts) return choose_parts(part, paths);
  if (part.wants) {
    std::erase_if(paths, [&](const std::string& path) { return !part.wants(path); });
  } else {
    std::vector<std::string> chosen = model_paths(paths);
    // What a part among others lacks, another may have.
    if (whole) require_model(part.repository, paths, chosen);
    paths = std::move(chosen);
  }
  return choose_precision(part.repository.text(), paths, part.variant);
}

// Those of the files that the part wants, with their paths in the model.
std::vector<HubItem> chosen_items(const HubPart& part, const HubRepository& at,
                                  const std::vector<HubFile>& files, bool alone,
                                  std::vector<std::string>& notes) {
  const std::string prefix = part.from.empty() ? "" : part.from + "/";
  std::map<std::string, const HubFile*> by_path;  // beneath the folder
  std::vector<std::string> paths;
  for (const HubFile& file : files) {
    if (!file.path.starts_with(prefix)) continue;
    paths.push_back(file.path.substr(prefix.size()));
    by_path[paths.back()] = &file;
  }
  std::vector<HubItem> items;
  HubChoice choice = choose(part, std::move(paths), prefix.empty() && part.to.empty() && alone);
  notes.insert(notes.end(), choice.notes.begin(), choice.notes.end());
  for (const ChosenFile& file : choice.files) {
    items.push_back({beneath(part.to, file.as), at, *by_path.at(file.path), {}});
    require_safe_path(items.back().path, "model");
  }
  for (const std::string& folder : part.folders) {
    if (std::ranges::any_of(items, [&](const HubItem& item) { return item.path.starts_with(folder + "/"); }))
      continue;
    throw Error(RH_WEIGHTS_MISSING,
                fmt::format("{}: none of its {} files is one of the recipe's component '{}'",
                            part.repository.text(), files.size(), folder),
                "see the repository's page for what it holds");
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
    for (HubItem& item :
         chosen_items(part, {part.repository.name, commit}, files, parts.size() == 1, plan.notes)) {
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
