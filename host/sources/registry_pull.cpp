// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_pull.h"

#include <fmt/format.h>

#include <map>
#include <mutex>

#include "host/sources/backoff.h"
#include "host/sources/parallel.h"
#include "host/sources/registry_manifest.h"
#include "host/sources/registry_memory.h"
#include "host/store/download.h"
#include "host/store/model_intake.h"
#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

constexpr const char* kConfigPath = "config";  // in messages: no file of the model directory

class RegistryPull {
 public:
  RegistryPull(const std::filesystem::path& store, const ModelName& name,
               const std::shared_ptr<RegistryLink>& link, const RegistryPullOptions& options)
      : name_(name), link_(link), options_(options), model_(find_model()), intake_(store) {}

  ImportReport run() {
    refuse_another_meaning();
    list_blobs();
    require_space();
    run_parallel(blobs_.size(), options_.transfers,
                 [this](const Stopped& stopped) { return worker(stopped); });
    const ModelManifest& manifest = model_.manifest;
    parse_model_config(
        read_blob(intake_.paths(), manifest.config.digest, kMaximumConfigBytes, shown() + ": config"),
        name_.text());
    intake_.inspect(link_->reference.text(), options_.check);
    ImportReport report = intake_.adopt(name_, model_.text, link_->reference.text());
    report.bytes_fetched = fetched_;
    remember();
    return report;
  }

 private:
  struct Blob {
    DownloadTarget target;
    std::vector<std::string> paths;  // in the model directory; none for the config
    std::uint64_t done = 0;
  };

  RemoteModel find_model() const {
    RegistryClient client(link_, RegistryUse::pull, {});
    return find_remote_model(client);
  }

  std::string shown() const { return "reference '" + link_->reference.text() + "'"; }

  // Before anything travels for nothing.
  void refuse_another_meaning() const {
    const StoreLock lock(intake_.paths(), StoreLock::Mode::shared);
    refuse_new_meaning(OciIndex::read(intake_.paths()), name_, &model_.manifest.digest);
  }

  void list_blobs() {
    const OciDescriptor& config = model_.manifest.config;
    if (config.size > kMaximumConfigBytes)
      throw Error(RH_MODEL_INVALID, fmt::format("{}: config: has {} bytes, expected at most {}", shown(),
                                                config.size, kMaximumConfigBytes));
    blobs_.push_back({{kConfigPath, config.size, config.digest, {}, {}}, {}});
    std::map<Digest, std::size_t> listed;
    for (const ModelFile& file : model_.manifest.files) {
      const auto [known, fresh] = listed.emplace(file.digest, blobs_.size());
      if (fresh) blobs_.push_back({{file.path, file.size, file.digest, {}, {}}, {}});
      blobs_[known->second].paths.push_back(file.path);
    }
  }

  void require_space() {
    std::uint64_t missing = 0;
    for (const Blob& blob : blobs_) {
      const std::uint64_t bytes = missing_bytes(intake_.paths(), blob.target);
      missing += bytes;
      before_ += blob.target.size - bytes;
      total_ += blob.target.size;
    }
    intake_.require_space(missing);
  }

  Piece worker(const Stopped& stopped) {
    auto client = std::make_shared<RegistryClient>(link_, RegistryUse::pull, stopped);
    return [this, client, stopped](std::size_t index) { take(*client, blobs_[index], stopped); };
  }

  void take(RegistryClient& client, Blob& blob, const Stopped& stopped) {
    Download download(intake_.paths(), blob.target, [&] {
      if (stopped()) throw Error(RH_CANCELLED, "cancelled while pulling " + blob.target.path);
    });
    auto placed = download.present(intake_.writer());
    if (!placed) {
      receive(client, blob, download, stopped);
      placed = download.publish(intake_.writer());
    }
    seen(blob, blob.target.size);
    for (const std::string& path : blob.paths)
      intake_.add(path, *placed);
  }

  void receive(RegistryClient& client, Blob& blob, Download& download, const Stopped& stopped) {
    Backoff backoff(either(stopped, link_->http.cancelled));
    bool more = true;
    while (more && !download.complete()) {
      const std::uint64_t before = download.have();
      try {
        more = receive_once(client, blob, download);
      } catch (const Error& error) {
        if (download.have() > before) backoff.progressed();
        backoff.wait_after(error);
      }
    }
  }

  // Whether another request may bring what is still missing.
  bool receive_once(RegistryClient& client, Blob& blob, Download& download) {
    const std::uint64_t offset = download.have();
    const Digest& digest = *blob.target.sha256;
    const auto head = [&](const HttpResponse& response) {
      if (response.status == 206) require_range(response, offset, digest);
      if (response.status == 200 && offset > 0) download.restart();  // it knows no ranges
      return response.status == 200 || response.status == 206;
    };
    const auto bytes = [&](std::string_view piece) {
      download.append(piece);
      {
        const std::scoped_lock lock(mutex_);
        fetched_ += piece.size();
      }
      seen(blob, download.have());
    };
    const HttpResponse response = client.get_blob(digest, offset, {head, bytes});
    if (response.status == 416 && offset > 0) {
      download.restart();
      return true;
    }
    if (response.status != 200 && response.status != 206) throw client.blob_error(digest, response);
    return response.status == 206 && download.have() > offset;
  }

  void require_range(const HttpResponse& response, std::uint64_t offset, const Digest& digest) const {
    const std::string range = response.headers.get("Content-Range");
    if (range.starts_with(fmt::format("bytes {}-", offset))) return;
    throw Error(
        RH_SOURCE_REJECTED,
        fmt::format(
            "registry '{}': blob {}: sends another range than was asked for, expected one from byte {}",
            link_->reference.registry, digest.text(), offset));
  }

  void seen(Blob& blob, std::uint64_t done) {
    const std::scoped_lock lock(mutex_);
    done_ += done - blob.done;  // less than before where a download began anew
    blob.done = done;
    if (!options_.progress) return;
    options_.progress({blob.target.path, done_, total_, std::min(before_, done_),
                       FileProgress{blob.target.sha256->text(), done, blob.target.size}});
  }

  void remember() {
    std::vector<Digest> digests;
    for (const Blob& blob : blobs_)
      digests.push_back(*blob.target.sha256);
    BlobMemory(intake_.paths(), link_->reference.registry).add(link_->reference.repository, digests);
  }

  const ModelName& name_;
  const std::shared_ptr<RegistryLink>& link_;
  const RegistryPullOptions& options_;
  const RemoteModel model_;
  ModelIntake intake_;
  std::vector<Blob> blobs_;
  std::uint64_t total_ = 0, before_ = 0;  // bytes of all blobs; of those, what was there at the start
  std::mutex mutex_;                      // for what follows, and the `done` of blobs
  std::uint64_t done_ = 0, fetched_ = 0;
};

}  // namespace

ImportReport pull_model(const std::filesystem::path& store, const ModelName& name,
                        const std::shared_ptr<RegistryLink>& link, const RegistryPullOptions& options) {
  return RegistryPull(store, name, link, options).run();
}

}  // namespace roundhouse::host
