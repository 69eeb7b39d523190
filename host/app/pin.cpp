// SPDX-License-Identifier: Apache-2.0
#include "host/app/pin.h"

#include <fmt/format.h>

#include "host/app/pull.h"
#include "host/store/file.h"
#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaximumRecipeBytes = 1 << 20;

Commits commits_of(const Provenance& provenance) {
  Commits commits = provenance.sources;
  commits.emplace(provenance.repository, provenance.revision);
  return commits;
}

// For a repository that has no recipe.
std::string new_recipe(const std::string& name, const ModelConfig& config) {
  return fmt::format("schema: 1\nname: \"{}\"\narchitecture: {}\nbase: {{hf_repo: {}, revision: {}}}\n", name,
                     config.architecture, config.provenance.repository, config.provenance.revision);
}

// Whether the recipe is the user's to change rather than one that comes along.
bool is_users(const ModelSpec& spec, const ModelSearch& search) {
  return !search.spec_directories.empty() && spec.file.parent_path() != search.spec_directories.back();
}

// All of it or nothing.
void write_recipe(const fs::path& path, const std::string& text) {
  const std::string shown = "file '" + path.string() + "'";
  const fs::path temporary = path.string() + ".new";
  std::error_code ignored;
  make_directories(path.parent_path());
  fs::remove(temporary, ignored);
  {
    const File file = create_file(temporary);
    write_all(file, text, shown);
    sync_file(file, shown);
  }
  rename_file(temporary, path);
}

}  // namespace

PinReport pin_model(const AppContext& context, const std::string& name) {
  const Store store = context.store();
  const StoredModel stored = store.get(ModelName::parse(name));
  const ModelConfig config = store.config(stored, store.manifest(stored));
  const auto spec = find_recipe(context, name);
  // What is not a whole repository has its choice in the source.
  const bool one_file = stored.source.find(':') != stored.source.rfind(':');
  if (config.provenance.kind != "hub" || (!spec && one_file))
    throw Error(
        RH_INVALID_ARGUMENT,
        fmt::format("model '{}': was not pulled as a whole from a hub, which alone has commits", name),
        "roundhouse show " + name + " tells where it came from");
  const ModelCatalogue models = context.models();
  const ModelSearch& search = models.search();
  PinReport report{name, search.user_directory / (ModelName::parse(name).name() + ".yaml"),
                   commits_of(config.provenance)};
  if (spec && is_users(*spec, search)) report.file = spec->file;
  std::string text = spec ? read_small_file(spec->file, spec->file.string(), kMaximumRecipeBytes).value_or("")
                          : new_recipe(name, config);
  text = pinned_spec_text(text, spec ? spec->file : report.file, report.sources);
  write_recipe(report.file, text);
  return report;
}

}  // namespace roundhouse::host
