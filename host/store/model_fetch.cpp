// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_fetch.h"

#include <fnmatch.h>

#include <algorithm>

namespace roundhouse::host {
namespace {

constexpr std::size_t kCommitDigits = 40, kMaximumRepositoryBytes = 192;

// What components hold: configurations, indexes and tokenizers as well as weights. No pickles, and no weights
// for other programs.
const std::vector<std::string> kComponentFiles = {"*.json", "*.txt", "*.jinja", "*.model", "*.safetensors"};
const std::vector<std::string> kComponentFolders = {"scheduler", "text_encoder*", "tokenizer*",
                                                    "transformer*", "vae"};
const std::vector<std::string> kModelFiles = {"model_index.json", "LICENSE*", "NOTICE*", "README.md"};

bool is_part(const std::string& part) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !part.empty() && letter(part.front()) && part.find("..") == std::string::npos &&
         std::all_of(part.begin(), part.end(),
                     [&](char c) { return letter(c) || c == '.' || c == '_' || c == '-'; });
}

bool matches_any(const std::vector<std::string>& patterns, const std::string& path) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
  });
}

std::vector<std::string> or_usual(const std::vector<std::string>& given,
                                  const std::vector<std::string>& usual) {
  return given.empty() ? usual : given;
}

}  // namespace

bool is_hub_repository(const std::string& text) {
  const std::size_t slash = text.find('/');
  return slash != std::string::npos && text.size() <= kMaximumRepositoryBytes &&
         is_part(text.substr(0, slash)) && is_part(text.substr(slash + 1));
}

bool ModelBase::pinned() const {
  return revision.size() == kCommitDigits &&
         revision.find_first_not_of("0123456789abcdef") == std::string::npos;
}

bool ModelFetch::wants(const std::string& path) const {
  if (matches_any(patterns, path)) return true;
  const std::size_t slash = path.find('/');
  if (!rest || slash == std::string::npos || path.starts_with('.')) return false;
  const std::string folder = path.substr(0, slash);
  return std::ranges::find(elsewhere, folder) == elsewhere.end() && matches_any(kComponentFolders, folder) &&
         matches_any(kComponentFiles, path.substr(slash + 1));
}

std::vector<ModelFetch> fetches_of(const ModelSpec& spec) {
  if (spec.base.repository.empty()) return {};
  const auto& usual = spec.components.empty() ? kComponentFiles : kModelFiles;
  const bool whole = spec.components.empty() && spec.files.empty();
  std::vector<ModelFetch> fetches;
  fetches.push_back({.base = spec.base,
                     .patterns = or_usual(spec.files, usual),
                     .components = {},
                     .rest = !spec.components.empty() && spec.files.empty(),
                     .whole = whole});
  for (const ModelComponent& component : spec.components)
    fetches.front().elsewhere.push_back(component.name);
  for (const ModelComponent& component : spec.components) {
    const ModelBase& base = component.base ? *component.base : spec.base;
    auto fetch = std::find_if(fetches.begin(), fetches.end(), [&](const ModelFetch& other) {
      return other.base.repository == base.repository && other.base.revision == base.revision;
    });
    if (fetch == fetches.end())
      fetch = fetches.insert(fetches.end(), {.base = base, .patterns = {}, .components = {}});
    fetch->components.push_back(component.name);
    for (const auto& pattern : or_usual(component.files, kComponentFiles))
      fetch->patterns.push_back(component.name + "/" + pattern);
  }
  return fetches;
}

void require_pinned(const ModelSpec& spec, const ModelName& name, const std::string& where) {
  if (name.version().empty()) return;
  for (const ModelFetch& fetch : fetches_of(spec)) {
    if (fetch.base.pinned()) continue;
    throw Error(
        RH_INVALID_ARGUMENT,
        where + ": base.revision: '" + fetch.base.revision + "' of " + fetch.base.repository +
            " may move, and '" + name.text() +
            "' stands for one model for ever: expected a pinned one, 40 hexadecimal digits of a commit",
        "pin the revision, or leave the version out");
  }
}

}  // namespace roundhouse::host
