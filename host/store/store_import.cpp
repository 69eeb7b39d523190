// SPDX-License-Identifier: Apache-2.0
// How a model directory becomes a model of the store.
#include <algorithm>

#include "host/store/blob_writer.h"
#include "host/store/model_files.h"
#include "host/store/small_file.h"
#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kRoomForRecords = 1 << 20;  // config, manifest, index

class Import {
 public:
  Import(const StorePaths& paths, const fs::path& directory, const ImportOptions& options)
      : paths_(paths), directory_(directory), options_(options), session_(paths), writer_(paths, session_) {}

  ImportReport run(const ModelName& name, const ModelDirectory& inspected) {
    sources_ = model_files(directory_);
    for (const SourceFile& source : sources_)
      total_ += source.size;
    find_present();
    require_space();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (placed_[i]) continue;
      at_ = &sources_[i];
      placed_[i] =
          writer_.place(at_->file, at_->path, options_.placement, [this](auto bytes) { seen(bytes); });
      report_.bytes_added += at_->size;
    }
    const OciDescriptor manifest = write_manifest(inspected);
    writer_.sync();
    const Committed committed =
        commit(paths_, session_, name, manifest, fs::absolute(directory_).lexically_normal().string());
    report_.model = committed.model;
    report_.replaced = committed.replaced;
    return std::move(report_);
  }

 private:
  void seen(std::string_view bytes) {
    done_ += bytes.size();
    if (options_.progress) options_.progress({at_->path, std::min(done_, total_), total_});
  }

  void find_present() {
    placed_.resize(sources_.size());
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      at_ = &sources_[i];
      const std::uint64_t before = done_;
      placed_[i] = writer_.find(at_->file, at_->path, [this](auto bytes) { seen(bytes); });
      if (!placed_[i]) done_ = before;  // it will be read again
    }
  }

  void require_space() {
    std::uint64_t needed = kRoomForRecords;
    const SourceFile* largest = nullptr;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (placed_[i]) continue;
      needed += sources_[i].size;
      if (largest == nullptr || sources_[i].size > largest->size) largest = &sources_[i];
    }
    if (largest != nullptr && writer_.shares(largest->file, largest->path, options_.placement))
      needed = kRoomForRecords;
    const std::uint64_t free = free_bytes(paths_.root);
    if (needed <= free) return;
    throw Error(RH_INSUFFICIENT_STORAGE, "store '" + paths_.root.string() + "': the model needs " +
                                             std::to_string(needed) + " bytes, " + std::to_string(free) +
                                             " are free");
  }

  OciDescriptor write_manifest(const ModelDirectory& inspected) {
    std::vector<ModelFile> files;
    ModelConfig config;
    std::set<Digest> counted;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      BlobPlaced& placed = *placed_[i];
      const std::string& path = sources_[i].path;
      files.push_back({path, media_type_of(path), placed.digest, placed.size});
      if (placed.weights) config.weights.emplace(path, std::move(*placed.weights));
      if (counted.insert(placed.digest).second) report_.bytes += placed.size;
      ++report_.files;
      ++count_of(placed.how);
    }
    config.architecture = inspected.architecture;
    config.weight_format = inspected.weight_format;
    config.dtypes = inspected.dtypes;
    config.provenance = options_.provenance;
    config.spec = recipe(inspected);
    const OciDescriptor written = writer_.write(kModelConfigType, model_config_text(config));
    std::map<std::string, std::string> annotations;
    if (!config.spec.license.empty()) annotations["org.opencontainers.image.licenses"] = config.spec.license;
    if (!config.spec.title.empty()) annotations["org.opencontainers.image.title"] = config.spec.title;
    return writer_.write(kManifestType, model_manifest_text(written, files, annotations));
  }

  ModelSpec recipe(const ModelDirectory& inspected) const {
    if (options_.spec) return *options_.spec;
    ModelSpec spec;
    spec.architecture = inspected.architecture;
    spec.defaults.width = spec.defaults.height = sample_size(directory_);
    return spec;
  }

  unsigned& count_of(Placed how) {
    switch (how) {
      case Placed::linked:
        return report_.linked;
      case Placed::cloned:
        return report_.cloned;
      case Placed::copied:
        return report_.copied;
      case Placed::present:
        break;
    }
    return report_.present;
  }

  const StorePaths& paths_;
  const fs::path& directory_;
  const ImportOptions& options_;
  StoreSession session_;
  BlobWriter writer_;
  std::vector<SourceFile> sources_;
  std::vector<std::optional<BlobPlaced>> placed_;
  std::uint64_t done_ = 0, total_ = 0;
  const SourceFile* at_ = nullptr;
  ImportReport report_{StoredModel{{}, sha256(""), {}, {}, 0}, 0, 0, 0, 0, 0, 0, 0, {}};
};

}  // namespace

ImportReport Store::import_directory(const fs::path& directory, const ModelName& name,
                                     const ImportOptions& options) {
  const ModelDirectory inspected = inspect_model_directory(directory);
  if (options.spec && options.spec->architecture != inspected.architecture)
    throw Error(RH_MODEL_INVALID, "model directory '" + directory.string() + "' is of architecture '" +
                                      inspected.architecture + "', its spec says '" +
                                      options.spec->architecture + "'");
  {
    const StoreLock lock(paths_, StoreLock::Mode::shared);
    OciIndex::read(paths_);  // a damaged index is refused before anything is copied
  }
  return Import(paths_, directory, options).run(name, inspected);
}

}  // namespace roundhouse::host
