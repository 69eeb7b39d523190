// SPDX-License-Identifier: Apache-2.0
#include "host/store/store.h"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <nlohmann/json.hpp>

#include "host/store/download.h"
#include "host/store/small_file.h"
#include "host/store/store_internal.h"
#include "host/text/list.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSourceAnnotation = "dev.roundhouse.source";

std::string annotation(const OciDescriptor& entry, const char* key) {
  const auto found = entry.annotations.find(key);
  return found == entry.annotations.end() ? "" : found->second;
}

std::string shown_model(const std::string& name) {
  return "model '" + name + "'";
}

[[noreturn]] void throw_not_found(const ModelName& name, const std::vector<StoredModel>& models) {
  throw Error(RH_MODEL_NOT_FOUND, shown_model(name.text()) + " was not found in the store among: " +
                                      (models.empty() ? "(none)" : joined(models, ", ", &StoredModel::name)));
}

}  // namespace

std::string timestamp() {
  std::time_t now = std::time(nullptr);
  if (const char* epoch = std::getenv("SOURCE_DATE_EPOCH")) now = std::strtoll(epoch, nullptr, 10);
  std::tm utc{};
  char text[32];
  const std::size_t size =
      gmtime_r(&now, &utc) == nullptr ? 0 : std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
  return {text, size};
}

std::string read_blob(const StorePaths& paths, const Digest& digest, std::size_t limit,
                      const std::string& shown) {
  std::error_code ignored;
  if (fs::is_symlink(paths.blob(digest), ignored))
    throw Error(RH_INTEGRITY_MISMATCH, shown + ": blob " + digest.text() + " is a symbolic link");
  const auto text = read_small_file(paths.blob(digest), shown, limit);
  if (!text)
    throw Error(RH_WEIGHTS_MISSING, shown + ": blob " + digest.text() + " is missing from the store");
  const Digest found = sha256(*text);
  if (found != digest)
    throw Error(RH_INTEGRITY_MISMATCH,
                shown + ": sha256 is " + found.brief() + ".., expected " + digest.brief() + "..");
  return *text;
}

StoredModel stored_model(const OciDescriptor& entry) {
  return {entry_name(entry), entry.digest, annotation(entry, kCreatedAnnotation),
          annotation(entry, kSourceAnnotation), entry.size};
}

void refuse_new_meaning(const OciIndex& index, const ModelName& name, const Digest* digest) {
  if (name.version().empty()) return;
  const OciDescriptor* entry = index.find(name.text());
  if (entry == nullptr || (digest != nullptr && entry->digest == *digest)) return;
  throw Error(RH_INVALID_ARGUMENT,
              shown_model(name.text()) + " exists, and a name with a version stands for one model for ever",
              "choose another version, or remove the name first with 'roundhouse rm'");
}

Committed commit(const StorePaths& paths, StoreSession& session, const ModelName& name,
                 const OciDescriptor& manifest, const std::string& source) {
  const StoreLock lock(paths, StoreLock::Mode::exclusive);
  OciIndex index = OciIndex::read(paths);
  refuse_new_meaning(index, name, &manifest.digest);
  const auto parts = references_of(
      parse_json_object(read_blob(paths, manifest.digest, kMaximumManifestBytes, "manifest"), "manifest"),
      "manifest");
  const OciDescriptor* before = index.find(name.text());
  Committed committed{{name.text(), manifest.digest, timestamp(), source, manifest.size}, std::nullopt};
  if (before != nullptr && before->digest == manifest.digest) {
    committed.model = stored_model(*before);
    forget_fetched(paths, parts);
    return committed;
  }
  if (before != nullptr) committed.replaced = before->digest;
  OciDescriptor entry{kManifestType, manifest.digest, manifest.size, {}};
  entry.annotations[kCreatedAnnotation] = committed.model.created;
  if (!source.empty()) entry.annotations[kSourceAnnotation] = source;
  index.set(name.text(), std::move(entry));
  index.write(paths, session);
  forget_fetched(paths, parts);
  return committed;
}

std::vector<StoredModel> Store::list() const {
  const StoreLock lock(paths_, StoreLock::Mode::shared);
  std::vector<StoredModel> models;
  const OciIndex index = OciIndex::read(paths_);
  for (const OciDescriptor& entry : index.entries()) {
    if (!entry_name(entry).empty()) models.push_back(stored_model(entry));
  }
  std::sort(models.begin(), models.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return models;
}

std::optional<StoredModel> Store::find(const ModelName& name) const {
  const StoreLock lock(paths_, StoreLock::Mode::shared);
  const OciIndex index = OciIndex::read(paths_);
  const OciDescriptor* entry = index.find(name.text());
  if (entry == nullptr) return std::nullopt;
  return stored_model(*entry);
}

StoredModel Store::get(const ModelName& name) const {
  if (auto model = find(name)) return *model;
  throw_not_found(name, list());
}

ModelManifest Store::manifest(const StoredModel& model) const {
  const std::string shown = shown_model(model.name) + ": manifest";
  return parse_model_manifest(read_blob(paths_, model.digest, kMaximumManifestBytes, shown));
}

ModelConfig Store::config(const StoredModel& model, const ModelManifest& manifest) const {
  const std::string shown = shown_model(model.name) + ": config";
  return parse_model_config(read_blob(paths_, manifest.config.digest, kMaximumConfigBytes, shown),
                            model.name);
}

StoredModel Store::alias(const ModelName& source, const ModelName& target) {
  if (!find(source)) throw_not_found(source, list());  // before a store is made
  StoreSession session(paths_);
  const StoreLock lock(paths_, StoreLock::Mode::exclusive);
  OciIndex index = OciIndex::read(paths_);
  const OciDescriptor* found = index.find(source.text());
  if (found == nullptr) throw_not_found(source, {});
  OciDescriptor entry = *found;
  refuse_new_meaning(index, target, &entry.digest);
  entry.annotations[kNameAnnotation] = target.text();
  const StoredModel model = stored_model(entry);
  index.set(target.text(), std::move(entry));
  index.write(paths_, session);
  return model;
}

fs::path store_root(const std::optional<std::string>& flag,
                    const std::function<std::optional<std::string>(const std::string&)>& environment) {
  if (flag && !flag->empty()) return fs::absolute(*flag).lexically_normal();
  if (const auto home = environment("ROUNDHOUSE_HOME"); home && !home->empty())
    return fs::absolute(*home).lexically_normal();
  if (const auto data = environment("XDG_DATA_HOME"); data && fs::path(*data).is_absolute())
    return fs::path(*data) / "roundhouse";
  if (const auto home = environment("HOME"); home && !home->empty())
    return fs::path(*home) / ".local/share/roundhouse";
  return {};
}

}  // namespace roundhouse::host
