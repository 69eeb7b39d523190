// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_pull.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>

#include "host/sources/backoff.h"
#include "host/sources/file_beginning.h"
#include "host/sources/parallel.h"
#include "host/sources/registry_manifest.h"
#include "host/sources/registry_memory.h"
#include "host/store/download.h"
#include "host/store/model_intake.h"
#include "host/store/store_internal.h"
#include "host/store/weight_files.h"

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
    const auto weights = std::stable_partition(blobs_.begin(), blobs_.end(), is_small);
    const auto small = static_cast<std::size_t>(weights - blobs_.begin());
    fetch(0, small);
    const ModelManifest& manifest = model_.manifest;
    parse_model_config(
        read_blob(intake_.paths(), manifest.config.digest, kMaximumConfigBytes, shown() + ": config"),
        name_.text());
    rehearse(small);
    fetch(small, blobs_.size());
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

  static bool is_small(const Blob& blob) {
    return std::ranges::none_of(blob.paths, [](const std::string& path) {
      return is_weights_path(path) && !path.ends_with(".json");
    });
  }

  void fetch(std::size_t first, std::size_t end) {
    run_parallel(end - first, options_.transfers,
                 [this, first](const Stopped& stopped) { return worker(stopped, first); });
  }

  // Before weights travel: the model is judged as it will be, by the small files and what begins the others.
  void rehearse(std::size_t small) {
    const auto missing = [this](const Blob& blob) { return missing_bytes(intake_.paths(), blob.target) > 0; };
    if (!options_.check ||
        std::none_of(blobs_.begin() + static_cast<std::ptrdiff_t>(small), blobs_.end(), missing))
      return;
    const std::filesystem::path directory = intake_.session().fresh_path();
    RegistryClient client(link_, RegistryUse::pull, link_->http.cancelled);
    for (std::size_t i = 0; i < blobs_.size(); ++i) {
      for (const std::string& path : blobs_[i].paths) {
        make_directories((directory / path).parent_path());
        if (missing_bytes(intake_.paths(), blobs_[i].target) == 0) {
          std::error_code error;
          std::filesystem::create_symlink(
              std::filesystem::absolute(intake_.paths().blob(*blobs_[i].target.sha256)), directory / path,
              error);
          if (error) throw_system("file '" + path + "'", error.value());
        } else {
          begin(client, blobs_[i], directory / path);
        }
      }
    }
    const std::string source = link_->reference.text();
    ModelIntake::judge(directory, source, [&](const ModelDirectory& inspected) {
      require_looked(shown(), options_.check(directory, inspected));
    });
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }

  // The file as it will be, but for its data; what comes for that is kept.
  void begin(RegistryClient& client, Blob& blob, const std::filesystem::path& to) {
    Download download(intake_.paths(), blob.target, [this] {
      if (link_->http.cancelled && link_->http.cancelled())
        throw Error(RH_CANCELLED, "cancelled while pulling");
    });
    write_beginning(to, blob.target.path, blob.target.size, [&](std::uint64_t wanted) {
      return beginning_of(download, wanted,
                          [&](std::uint64_t bytes) { return beginning(client, blob, bytes); });
    });
    seen(blob, download.have());
  }

  std::string beginning(RegistryClient& client, const Blob& blob, std::uint64_t bytes) {
    return with_retries(Backoff(link_->http.cancelled), [&] {
      std::string text;
      const auto is_blob = [](const HttpResponse& head) { return head.status == 200 || head.status == 206; };
      const auto piece = [&](std::string_view more) {
        text += more.substr(0, static_cast<std::size_t>(bytes - text.size()));
        if (text.size() >= bytes) throw EnoughOfAnswer();
      };
      try {
        const HttpResponse response = client.get_blob(*blob.target.sha256, 0, {is_blob, piece}, bytes);
        if (!is_blob(response)) throw client.blob_error(*blob.target.sha256, response);
      } catch (const EnoughOfAnswer&) {  // a registry without ranges sends all of it
      }
      fetched_ += text.size();
      return text;
    });
  }

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

  // Its piece 0 is blob `first`.
  Piece worker(const Stopped& stopped, std::size_t first) {
    auto client = std::make_shared<RegistryClient>(link_, RegistryUse::pull, stopped);
    return
        [this, client, stopped, first](std::size_t index) { take(*client, blobs_[first + index], stopped); };
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
