// SPDX-License-Identifier: Apache-2.0
// How a model directory becomes a model of the store.
#include <fmt/format.h>

#include <algorithm>

#include "host/store/model_files.h"
#include "host/store/model_intake.h"
#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

class Import {
 public:
  Import(const StorePaths& paths, const fs::path& directory, const ImportOptions& options)
      : directory_(directory), options_(options), intake_(paths.root) {}

  ImportReport run(const ModelName& name, const ModelDirectory& inspected) {
    ModelFiles found = list_model_files(directory_, options_.links);
    sources_ = std::move(found.files);
    for (const SourceFile& source : sources_)
      total_ += source.size;
    find_present();
    require_space();
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      at_ = &sources_[i];
      if (!placed_[i]) {
        placed_[i] = intake_.writer().place(at_->file, at_->path, options_.link_mode,
                                            [this](auto bytes) { seen(bytes); });
      }
      intake_.add(at_->path, std::move(*placed_[i]));
    }
    if (options_.check || !found.left_out.empty()) require_whole(found.left_out);
    return intake_.finish(
        name, inspected, options_,
        options_.source.empty() ? fs::absolute(directory_).lexically_normal().string() : options_.source);
  }

 private:
  // What was left out may be what the model needs.
  void require_whole(const std::vector<std::string>& left_out) {
    try {
      intake_.inspect(directory_.string(), options_.check);
    } catch (const Error& error) {
      if (left_out.empty()) throw;
      throw Error(error.code(), error.what(),
                  "left out as a link that leads elsewhere, or for its name: '" + left_out.front() + "'" +
                      (left_out.size() == 1 ? "" : fmt::format(" and {} more", left_out.size() - 1)));
    }
  }

  void seen(std::string_view bytes) {
    done_ += bytes.size();
    if (options_.progress) options_.progress({at_->path, std::min(done_, total_), total_});
  }

  void find_present() {
    placed_.resize(sources_.size());
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      at_ = &sources_[i];
      const std::uint64_t before = done_;
      placed_[i] = intake_.writer().find(at_->file, at_->path, [this](auto bytes) { seen(bytes); });
      if (!placed_[i]) done_ = before;  // it will be read again
    }
  }

  void require_space() {
    std::uint64_t needed = 0;
    const SourceFile* largest = nullptr;
    for (std::size_t i = 0; i < sources_.size(); ++i) {
      if (placed_[i]) continue;
      needed += sources_[i].size;
      if (largest == nullptr || sources_[i].size > largest->size) largest = &sources_[i];
    }
    if (largest != nullptr && intake_.writer().shares(largest->file, largest->path, options_.link_mode))
      needed = 0;
    intake_.require_space(needed);
  }

  const fs::path& directory_;
  const ImportOptions& options_;
  ModelIntake intake_;
  std::vector<SourceFile> sources_;
  std::vector<std::optional<BlobPlaced>> placed_;
  std::uint64_t done_ = 0, total_ = 0;
  const SourceFile* at_ = nullptr;
};

}  // namespace

ImportReport Store::import_directory(const fs::path& directory, const ModelName& name,
                                     const ImportOptions& options) {
  const ModelDirectory inspected = inspect_model_directory(directory);
  ModelIntake::require_architecture(options, inspected, "model directory '" + directory.string() + "'");
  return Import(paths_, directory, options).run(name, inspected);
}

ImportReport Store::build(
    const ModelName& name, ImportOptions options,
    const std::function<void(const fs::path& directory, ImportOptions& options)>& make) {
  StoreSession session(paths_);
  {
    const StoreLock lock(paths_, StoreLock::Mode::shared);
    refuse_new_meaning(OciIndex::read(paths_), name, nullptr);  // before the work rather than after it
  }
  const fs::path directory = session.fresh_path();
  make_directories(directory);
  make(directory, options);
  options.link_mode = LinkMode::link;
  options.links = Links::none;
  return import_directory(directory, name, options);
}

}  // namespace roundhouse::host
