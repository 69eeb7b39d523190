// SPDX-License-Identifier: Apache-2.0
#include "host/store/model_intake.h"

#include <fmt/format.h>

#include <set>

#include "host/store/store_internal.h"
#include "host/store/weight_files.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRoomForRecords = 1 << 20;  // config, manifest, index

// The store's root, once its index is known to be readable.
StorePaths sound(const fs::path& root) {
  StorePaths paths{root};
  const StoreLock lock(paths, StoreLock::Mode::shared);
  OciIndex::read(paths);
  return paths;
}

ModelSpec recipe(const ImportOptions& options, const ModelDirectory& inspected) {
  if (options.spec) return *options.spec;
  ModelSpec spec;
  spec.architecture = inspected.architecture;
  spec.defaults.width = spec.defaults.height = sample_size(inspected.path);
  return spec;
}

unsigned& count_of(Placed how, ImportReport& report) {
  switch (how) {
    case Placed::linked:
      return report.linked;
    case Placed::cloned:
      return report.cloned;
    case Placed::copied:
      return report.copied;
    case Placed::fetched:
      return report.fetched;
    case Placed::present:
      break;
  }
  return report.present;
}

// The same text with one name in place of another.
std::string renamed(std::string text, const std::string& from, const std::string& to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

}  // namespace

std::string not_looked_note(const std::string& why) {
  return "no engine has looked at the model: " + why;
}

void require_looked(const std::string& source, const std::string& why) {
  if (why.empty()) return;
  throw Error(RH_CAPABILITY_UNSUPPORTED, source + ": no engine can look at the model: " + why,
              "see 'roundhouse engines' for what there is; no weights were fetched");
}

ModelIntake::ModelIntake(const fs::path& root)
    : paths_(sound(root)), session_(paths_), writer_(paths_, session_) {
}

void ModelIntake::require_space(std::uint64_t bytes) const {
  const std::uint64_t needed = bytes + kRoomForRecords;
  const std::uint64_t free = free_bytes(paths_.root);
  if (needed <= free) return;
  throw Error(RH_INSUFFICIENT_STORAGE, fmt::format("store '{}': the model needs {} bytes, {} are free",
                                                   paths_.root.string(), needed, free));
}

void ModelIntake::add(const std::string& path, BlobPlaced placed) {
  const std::lock_guard lock(mutex_);
  files_.insert_or_assign(path, std::move(placed));
}

bool ModelIntake::has(const std::string& path) {
  const std::lock_guard lock(mutex_);
  return files_.contains(path);
}

void ModelIntake::drop_weights(const std::string& component) {
  const std::lock_guard lock(mutex_);
  std::erase_if(files_, [&](const auto& file) {
    return file.first.starts_with(component + "/") && is_weights_path(file.first);
  });
}

ModelDirectory ModelIntake::inspect(const std::string& shown, const ModelCheck& check) {
  const fs::path directory = session_.fresh_path();
  make_directories(directory);
  for (const auto& [path, placed] : files_) {
    make_directories((directory / path).parent_path());
    std::error_code error;
    fs::create_symlink(fs::absolute(paths_.blob(placed.digest)), directory / path, error);
    if (error) throw_system("file '" + (directory / path).string() + "'", error.value());
  }
  return judge(directory, shown, [&](const ModelDirectory& inspected) {
    if (const std::string why = check ? check(directory, inspected) : ""; !why.empty())
      notes_.push_back(not_looked_note(why));
  });
}

ModelDirectory ModelIntake::judge(const fs::path& directory, const std::string& shown,
                                  const std::function<void(const ModelDirectory&)>& more) {
  try {
    ModelDirectory inspected = inspect_model_directory(directory);
    more(inspected);
    return inspected;
  } catch (const Error& error) {
    const std::string place = directory.string();
    std::string text = renamed(error.what(), "model directory '" + place + "'", "model '" + shown + "'");
    text = renamed(renamed(std::move(text), place + "/", ""), place, "model '" + shown + "'");
    throw Error(error.code(), text, std::string(error.hint()));
  }
}

void ModelIntake::require_architecture(const ImportOptions& options, const ModelDirectory& inspected,
                                       const std::string& shown) {
  if (!options.spec || options.spec->architecture == inspected.architecture) return;
  throw Error(RH_MODEL_INVALID, shown + " is of architecture '" + inspected.architecture +
                                    "', its spec says '" + options.spec->architecture + "'");
}

OciDescriptor ModelIntake::write_manifest(const ModelDirectory& inspected, const ImportOptions& options) {
  std::vector<ModelFile> files;
  ModelConfig config;
  for (const auto& [path, placed] : files_) {
    files.push_back({path, media_type_of(path), placed.digest, placed.size});
    if (placed.weights) config.weights.emplace(path, *placed.weights);
  }
  config.architecture = inspected.architecture;
  config.weight_format = inspected.weight_format;
  config.dtypes = inspected.dtypes;
  config.provenance = options.provenance;
  config.spec = recipe(options, inspected);
  const OciDescriptor written = writer_.write(kModelConfigType, model_config_text(config));
  std::map<std::string, std::string> annotations;
  if (!config.spec.license.empty()) annotations["org.opencontainers.image.licenses"] = config.spec.license;
  if (!config.spec.title.empty()) annotations["org.opencontainers.image.title"] = config.spec.title;
  return writer_.write(kManifestType, model_manifest_text(written, files, annotations));
}

ImportReport ModelIntake::finish(const ModelName& name, const ModelDirectory& inspected,
                                 const ImportOptions& options, const std::string& source) {
  return give_name(name, write_manifest(inspected, options), source);
}

ImportReport ModelIntake::adopt(const ModelName& name, const std::string& manifest,
                                const std::string& source) {
  return give_name(name, writer_.write(kManifestType, manifest), source);
}

ImportReport ModelIntake::give_name(const ModelName& name, const OciDescriptor& manifest,
                                    const std::string& source) {
  ImportReport report;
  report.notes = notes_;
  std::set<Digest> counted, added;
  for (const auto& [path, placed] : files_) {
    if (counted.insert(placed.digest).second) report.bytes += placed.size;
    const bool own = placed.how == Placed::copied || placed.how == Placed::fetched;
    if (own && added.insert(placed.digest).second) report.bytes_added += placed.size;
    ++report.files;
    ++count_of(placed.how, report);
  }
  writer_.sync();
  // Now rather than when it is used: the store may be one that is only read from then on.
  Store store(paths_.root);
  store.view(store.manifest({name.text(), manifest.digest, {}, {}, manifest.size}));
  Committed committed = commit(paths_, session_, name, manifest, source);
  report.model = std::move(committed.model);
  report.replaced = committed.replaced;
  return report;
}

}  // namespace roundhouse::host
