// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_catalogue.h"

#include <fnmatch.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/log/terminal_text.h"
#include "host/store/model_fetch.h"
#include "host/store/small_file.h"
#include "host/store/store.h"
#include "host/store/weight_files.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

bool directory_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_model_directory(const fs::path& path) {
  return file_present(path / "model_index.json") || file_present(path / "config.json") ||
         file_present(path / "model.gguf");
}

// Entries of a directory in name order; a directory that cannot be read is empty.
std::vector<fs::path> sorted_entries(const fs::path& directory) {
  std::vector<fs::path> entries;
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    entries.push_back(it->path());
  }
  std::sort(entries.begin(), entries.end());
  return entries;
}

ResolvedModel bare_directory(std::string name, const fs::path& directory) {
  ResolvedModel model;
  model.name = std::move(name);
  model.directory = fs::absolute(directory).lexically_normal();
  model.defaults.width = model.defaults.height = sample_size(directory);
  return model;
}

// `paths`: whether one may be given in place of a name.
void refuse_unsafe(const std::string& name, bool paths) {
  if (is_plain_model_name(name)) return;
  std::string shown;
  for (const char c : name.substr(0, 100))
    shown += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
  throw Error(RH_UNSAFE_NAME,
              "model: '" + shown +
                  "' is not a plain name (letters, digits and . _ - : @ after a letter or "
                  "digit, no '..', at most 128)" +
                  (paths ? " nor an existing path" : ""),
              paths ? "use a plain name, or an explicit path with a leading ./ or /"
                    : "name one of the models that are here: GET /models lists them");
}

}  // namespace

std::optional<std::uint32_t> sample_size(const fs::path& directory) {
  try {
    const auto text = read_small_file(directory / "vae/config.json", "vae/config.json", 1 << 20);
    if (!text) return std::nullopt;
    const auto json = parse_json_object(*text, "vae/config.json");
    const auto value = json.find("sample_size");
    if (value == json.end() || !value->is_number_integer()) return std::nullopt;
    const auto size = value->get<std::int64_t>();
    if (size < 16 || size > 1024) return std::nullopt;
    return static_cast<std::uint32_t>(size / 16 * 16);
  } catch (const Error&) {
    return std::nullopt;  // inspect_model_directory names the damage
  }
}

void require_present(const ResolvedModel& model) {
  if (directory_exists(model.directory)) return;
  const std::string shown = "model '" + model.name + "'";
  if (model.spec && !model.spec->base.repository.empty())
    throw Error(RH_MODEL_NOT_FOUND,
                shown + " is not here; its files are those of hf:" + model.spec->base.repository,
                "roundhouse pull " + model.name);
  throw Error(RH_WEIGHTS_MISSING, shown + ": its directory '" + model.directory.string() + "' is not there");
}

bool is_plain_model_name(const std::string& name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (name.empty() || name.size() > 128 || !plain(name[0]) || name.find("..") != std::string::npos)
    return false;
  return std::all_of(name.begin(), name.end(), [&](char c) {
    return plain(c) || c == '.' || c == '_' || c == '-' || c == ':' || c == '@';
  });
}

ModelSearch model_search(const std::function<std::optional<std::string>(const std::string&)>& environment,
                         const fs::path& executable, const std::optional<std::string>& home) {
  ModelSearch search;
  search.store_root = store_root(home, environment);
  if (!search.store_root.empty()) search.user_directory = search.store_root / "models";
  if (const auto list = environment("ROUNDHOUSE_MODEL_PATH")) {
    for (std::size_t begin = 0; begin <= list->size();) {
      const auto end = std::min(list->find(':', begin), list->size());
      if (end > begin) search.spec_directories.emplace_back(list->substr(begin, end - begin));
      begin = end + 1;
    }
  }
  if (!search.user_directory.empty()) search.spec_directories.push_back(search.user_directory);
  search.spec_directories.push_back(executable.parent_path().parent_path() / "share/roundhouse/models");
  return search;
}

ModelCatalogue::ModelCatalogue(ModelSearch search) : search_(std::move(search)) {
  for (const auto& directory : search_.spec_directories) {
    for (const auto& file : sorted_entries(directory)) {
      if (file.extension() != ".yaml" && file.extension() != ".yml") continue;
      try {
        auto spec = read_model_spec(file);
        const bool taken =
            std::any_of(specs_.begin(), specs_.end(), [&](const auto& s) { return s.name == spec.name; });
        if (!taken) specs_.push_back(std::move(spec));
      } catch (const Error& error) {
        problems_.push_back(error);
      }
    }
  }
  try {
    Store(search_.store_root).list();
  } catch (const Error& error) {
    store_problem_ = error;  // what is not in the store can be used all the same
    problems_.push_back(error);
  }
}

namespace {

// Beside its spec, or in the user's model directory.
fs::path locate(const ModelSpec& spec, const ModelSearch& search) {
  const fs::path path = spec.path.empty() ? fs::path(spec.name) : spec.path;
  const fs::path beside = spec.file.parent_path() / path;
  if (path.is_absolute() || directory_exists(beside) || search.user_directory.empty()) return beside;
  return search.user_directory / path;
}

}  // namespace

std::vector<ModelCatalogue::Entry> ModelCatalogue::other_entries() const {
  std::vector<Entry> entries;
  for (const auto& spec : specs_) {
    const auto directory = locate(spec, search_);
    entries.push_back({spec, directory, is_model_directory(directory), false, 0, std::nullopt});
  }
  // Model directories that the user has put there without a recipe.
  for (const auto& directory :
       search_.user_directory.empty() ? std::vector<fs::path>{} : sorted_entries(search_.user_directory)) {
    const auto name = directory.filename().string();
    const bool described = std::any_of(entries.begin(), entries.end(), [&](const auto& e) {
      return e.spec.name == name || e.directory == directory;
    });
    if (described || !is_plain_model_name(name) || !is_model_directory(directory)) continue;
    ModelSpec spec;
    spec.name = spec.title = name;
    spec.path = directory;
    const auto bare = bare_directory(name, directory);
    spec.defaults = bare.defaults;
    entries.push_back({std::move(spec), directory, true, false, 0, std::nullopt});
  }
  return entries;
}

namespace {

ModelCatalogue::Entry stored_entry(const Store& store, const StoredModel& model) {
  ModelCatalogue::Entry entry;
  entry.spec.name = entry.spec.title = model.name;
  entry.stored = true;
  try {
    const ModelManifest manifest = store.manifest(model);
    entry.spec = store.config(model, manifest).spec;
    entry.directory = StorePaths{store.root()}.view(model.digest);
    entry.bytes = manifest.bytes;
    entry.present = true;
  } catch (const Error& error) {
    entry.problem = error;
  }
  return entry;
}

}  // namespace

std::vector<ModelCatalogue::Entry> ModelCatalogue::stored_entries() const {
  std::vector<Entry> entries;
  if (store_problem_) return entries;
  const Store store(search_.store_root);
  for (const StoredModel& model : store.list())
    entries.push_back(stored_entry(store, model));
  return entries;
}

std::vector<ModelCatalogue::Entry> ModelCatalogue::entries() const {
  std::vector<Entry> entries = stored_entries();
  for (Entry& entry : other_entries()) {
    const bool taken = std::any_of(entries.begin(), entries.end(),
                                   [&](const auto& e) { return e.spec.name == entry.spec.name; });
    if (!taken) entries.push_back(std::move(entry));
  }
  std::erase_if(entries, [this](const Entry& entry) { return !allows(entry.spec.name); });
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.spec.name < b.spec.name; });
  return entries;
}

std::optional<ResolvedModel> ModelCatalogue::resolve_stored(const std::string& reference) const {
  const auto name = ModelName::try_parse(reference);
  if (!name || store_problem_) return std::nullopt;
  Store store(search_.store_root);
  const auto model = store.find(*name);
  if (!model) return std::nullopt;
  const ModelManifest manifest = store.manifest(*model);
  store.require_sound(*model, manifest, search_.verifying);
  const ModelSpec spec = store.config(*model, manifest).spec;
  return ResolvedModel{model->name,
                       store.view(manifest),
                       spec.architecture,
                       spec.defaults,
                       spec.size,
                       spec,
                       StoreEntry{search_.store_root, model->digest.text()}};
}

std::optional<ModelSpec> ModelCatalogue::find_spec(const std::string& name) const {
  for (const auto& spec : specs_) {
    if (spec.name == name) return spec;
  }
  for (const auto& spec : specs_) {
    if (std::find(spec.aliases.begin(), spec.aliases.end(), name) != spec.aliases.end()) return spec;
  }
  return std::nullopt;
}

bool ModelCatalogue::allows(const std::string& name) const {
  return search_.allowed.empty() || std::ranges::any_of(search_.allowed, [&](const std::string& pattern) {
           return ::fnmatch(pattern.c_str(), name.c_str(), 0) == 0;
         });
}

ResolvedModel ModelCatalogue::resolve(const std::string& reference) const {
  ResolvedModel model = found(reference);
  if (!allows(model.name)) throw_not_found(reference);
  return model;
}

ResolvedModel ModelCatalogue::found(const std::string& reference) const {
  if (!is_utf8(reference)) {
    throw Error(
        RH_INVALID_ARGUMENT,
        "model '" + terminal_text(reference) + "' is not valid UTF-8, as names and paths of models are",
        "give the directory another name, or a symbolic link that has one");
  }
  if (reference.find('\0') != std::string::npos) refuse_unsafe(reference, search_.directories);
  const std::string plain = plain_model_name(reference);
  if (plain != reference && !(search_.directories && directory_exists(reference))) return resolve(plain);
  if (reference.find('/') != std::string::npos || reference == "." || reference == "..") {
    if (search_.directories && directory_exists(reference)) return bare_directory(reference, reference);
    if (const auto spec = find_spec(reference)) return found(spec->name);
    const bool repository = is_hub_repository(reference);
    if (!search_.directories && !repository) refuse_unsafe(reference, search_.directories);
    throw Error(RH_MODEL_NOT_FOUND, "model directory '" + reference + "': no such directory",
                repository ? "for the repository of that name: roundhouse pull hf:" + reference : "");
  }
  refuse_unsafe(reference, search_.directories);
  if (auto model = resolve_stored(reference)) return *model;
  for (auto& entry : other_entries()) {
    if (entry.spec.name == reference) {
      ResolvedModel model{reference,           entry.directory, entry.spec.architecture,
                          entry.spec.defaults, entry.spec.size, {}};
      if (!entry.spec.file.empty()) model.spec = std::move(entry.spec);
      return model;
    }
  }
  if (const auto spec = find_spec(reference); spec && spec->name != reference) return found(spec->name);
  if (store_problem_) throw Error(*store_problem_);
  throw_not_found(reference);
}

void ModelCatalogue::throw_not_found(const std::string& reference) const {
  const std::string names = joined(entries(), ", ", [](const auto& entry) { return entry.spec.name; });
  throw Error(
      RH_MODEL_NOT_FOUND,
      "model '" + reference + "' was not found among: " + (names.empty() ? "(none)" : names) +
          (directory_exists(reference) ? "; for the directory of that name write ./" + reference : ""),
      "take in a directory that holds it with 'roundhouse import DIR --name " + reference + "'");
}

}  // namespace roundhouse::host
