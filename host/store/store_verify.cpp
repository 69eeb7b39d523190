// SPDX-License-Identifier: Apache-2.0
// Whether the files of a model are what they were, and what became of those that are not.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "host/store/small_file.h"
#include "host/store/stamp.h"
#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

constexpr std::uint64_t kMaximumJsonBytes = 64 << 20;

// One file against its record.
class Examination {
 public:
  Examination(const StorePaths& paths, const ModelFile& file, const WeightRecord* weights)
      : paths_(paths), file_(file), weights_(weights) {}

  std::optional<Damage> run(const PieceCallback& seen) {
    struct stat status {};
    if (::lstat(paths_.blob(file_.digest).c_str(), &status) != 0)
      return damage("missing", "its blob is not in the store");
    if (!S_ISREG(status.st_mode)) return damage("unreadable", "its blob is not a regular file");
    const auto size = static_cast<std::uint64_t>(status.st_size);
    if (size < file_.size) return truncated(size);
    if (size > file_.size) return damage("longer", fmt::format("{} bytes, expected {}", size, file_.size));
    try {
      return content(seen);
    } catch (const Error& error) {
      if (error.code() != RH_IO_ERROR) throw;
      return damage("unreadable", error.what());
    }
  }

 private:
  Damage damage(const std::string& kind, const std::string& detail) const {
    return {file_.path, kind, detail, {}, file_.digest.text(), {}};
  }

  Damage truncated(std::uint64_t size) const {
    Damage found = damage("truncated", fmt::format("{} bytes, expected {}", size, file_.size));
    for (const TensorRecord& tensor : weights_ != nullptr ? weights_->tensors : std::vector<TensorRecord>{}) {
      if (tensor.end > size) found.tensors.push_back(tensor.name);
    }
    return found;
  }

  std::optional<Damage> content(const PieceCallback& seen) const {
    WeightDigests tensors;
    const File file = open_for_reading(paths_.blob(file_.digest), "blob", false);
    const FileStamp before = stamp_of(file, "blob");
    const Digest digest = digest_of_file(file, "blob", [&](std::string_view bytes) {
      if (weights_ != nullptr) tensors.update(bytes);
      if (seen) seen(bytes);
    });
    if (digest == file_.digest) {
      record_stamp(paths_, digest, file, before);
      return std::nullopt;
    }
    Damage found = weights_ != nullptr ? weight_damage(tensors.finish()) : text_damage();
    found.found = digest.text();
    return found;
  }

  Damage weight_damage(const std::optional<WeightRecord>& now) const {
    if (!now || now->header != weights_->header)
      return damage("header", fmt::format("the header (bytes 0 to {}) changed", weights_->header_bytes));
    Damage found = damage("tensor", "");
    for (std::size_t i = 0; i < std::min(now->tensors.size(), weights_->tensors.size()); ++i) {
      const TensorRecord& tensor = weights_->tensors[i];
      if (now->tensors[i].digest == tensor.digest) continue;
      found.tensors.push_back(tensor.name);
      if (found.detail.empty())
        found.detail =
            fmt::format("tensor '{}' (bytes {} to {}) changed", tensor.name, tensor.begin, tensor.end);
    }
    if (found.tensors.size() > 1) found.detail += fmt::format(", and {} more", found.tensors.size() - 1);
    return found.tensors.empty() ? damage("content", "bytes of no tensor changed") : found;
  }

  Damage text_damage() const {
    if (file_.path.ends_with(".json") && file_.size <= kMaximumJsonBytes) {
      try {
        const auto text = read_small_file(paths_.blob(file_.digest), file_.path, kMaximumJsonBytes);
        if (text && !nlohmann::json::accept(*text)) parse_json_object(*text, file_.path);
      } catch (const Error& error) {
        return damage("json", error.what());
      }
    }
    return damage("content", "the content changed");
  }

  const StorePaths& paths_;
  const ModelFile& file_;
  const WeightRecord* weights_;
};

// Reports bytes of many files as one work.
class Meter {
 public:
  Meter(const ProgressCallback& progress, std::uint64_t total) : progress_(progress), total_(total) {}
  PieceCallback of(const std::string& path) {
    return [this, path](std::string_view bytes) {
      done_ += bytes.size();
      if (progress_) progress_({path, std::min(done_, total_), total_});
    };
  }

 private:
  const ProgressCallback& progress_;
  std::uint64_t done_ = 0, total_;
};

// Each blob once; the config is one of them.
std::vector<ModelFile> blobs_of(const ModelManifest& manifest) {
  std::vector<ModelFile> files = {
      {"config", manifest.config.media_type, manifest.config.digest, manifest.config.size}};
  std::set<Digest> seen = {manifest.config.digest};
  for (const ModelFile& file : manifest.files) {
    if (seen.insert(file.digest).second) files.push_back(file);
  }
  return files;
}

const WeightRecord* record_of(const ModelConfig* config, const std::string& path) {
  if (config == nullptr) return nullptr;
  const auto record = config->weights.find(path);
  return record == config->weights.end() ? nullptr : &record->second;
}

}  // namespace

std::vector<Damage> Store::verify(const StoredModel& model, const ProgressCallback& progress) {
  std::optional<ModelManifest> manifest;
  std::optional<ModelConfig> config;
  std::vector<Damage> damages;
  try {
    manifest = this->manifest(model);
  } catch (const Error& error) {
    return {{"manifest",
             error.code() == RH_WEIGHTS_MISSING ? "missing" : "content",
             error.what(),
             {},
             model.digest.text(),
             {}}};
  }
  try {
    config = this->config(model, *manifest);
  } catch (const Error& error) {
    damages.push_back({"config",
                       error.code() == RH_WEIGHTS_MISSING ? "missing" : "content",
                       error.what(),
                       {},
                       manifest->config.digest.text(),
                       {}});
  }
  Meter meter(progress, manifest->bytes + manifest->config.size);
  for (const ModelFile& file : blobs_of(*manifest)) {
    if (file.path == "config" && !config) continue;
    Examination examination(paths_, file, record_of(config ? &*config : nullptr, file.path));
    if (auto damage = examination.run(meter.of(file.path))) damages.push_back(std::move(*damage));
  }
  return damages;
}

void Store::require_sound(const StoredModel& model, const ModelManifest& manifest,
                          const ProgressCallback& progress) {
  std::vector<ModelFile> unknown;
  std::uint64_t total = 0;
  for (const ModelFile& file : blobs_of(manifest)) {
    if (stamp_holds(paths_, file.digest)) continue;
    unknown.push_back(file);
    total += file.size;
  }
  if (unknown.empty()) return;
  const ModelConfig config = this->config(model, manifest);
  Meter meter(progress, total);
  for (const ModelFile& file : unknown) {
    const auto damage = Examination(paths_, file, record_of(&config, file.path)).run(meter.of(file.path));
    if (!damage) continue;
    const rh_status code = damage->kind == "missing" ? RH_WEIGHTS_MISSING : RH_INTEGRITY_MISMATCH;
    throw Error(code,
                "model '" + model.name + "': file '" + damage->file +
                    "': " + (damage->kind == "truncated" ? "truncated: " : "") + damage->detail,
                "'roundhouse verify " + model.name + "' lists all damage; import or pull the model again");
  }
}

}  // namespace roundhouse::host
