// SPDX-License-Identifier: Apache-2.0
#include "host/server/hidden_places.h"

#include <algorithm>
#include <set>

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// What stands before the last part of an absolute directory, with its slash; of "/" and what lies in it,
// nothing: that tells little, and would be found in every address of ours.
void add_parent(std::set<std::string>& parents, fs::path directory) {
  directory = directory.lexically_normal();
  if (!directory.has_filename()) directory = directory.parent_path();
  const fs::path parent = directory.parent_path();
  if (parent.is_absolute() && parent.has_relative_path()) parents.insert(parent.string() + "/");
}

// Those that are known: a store that cannot be read has none.
std::vector<ModelCatalogue::Entry> entries_of(const Services& services) {
  try {
    return services.models().entries();
  } catch (const Error&) {
    return {};
  }
}

std::set<std::string> hidden_parents(const Services& services) {
  std::set<std::string> parents;
  add_parent(parents, services.store_root);
  add_parent(parents, services.store_root / "blobs");
  for (const auto& entry : entries_of(services)) {
    add_parent(parents, entry.directory);
    add_parent(parents, entry.spec.file.parent_path());
  }
  for (const EngineRecord& record : services.registry.snapshot()->records())
    add_parent(parents, record.manifest_file.parent_path());
  return parents;
}

}  // namespace

std::string without_places(std::string text, const Services& services) {
  if (text.find('/') == std::string::npos) return text;
  const std::set<std::string> parents = hidden_parents(services);
  // The longest first: one may begin another.
  for (auto parent = parents.rbegin(); parent != parents.rend(); ++parent) {
    for (std::size_t at = text.find(*parent); at != std::string::npos; at = text.find(*parent, at))
      text.erase(at, parent->size());
  }
  return text;
}

}  // namespace roundhouse::host
