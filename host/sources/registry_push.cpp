// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_push.h"

#include <mutex>
#include <set>

#include "host/sources/backoff.h"
#include "host/sources/parallel.h"
#include "host/sources/registry_upload.h"
#include "host/store/store_internal.h"

namespace roundhouse::host {
namespace {

class Push {
 public:
  Push(Store& store, const StoredModel& model, const std::shared_ptr<RegistryLink>& link,
       const PushOptions& options)
      : store_(store),
        paths_{store.root()},
        model_(model),
        manifest_(store.manifest(model)),
        link_(link),
        options_(options),
        session_(paths_),
        memory_(paths_, link->reference.registry) {}

  PushReport run() {
    refuse_another_digest();
    list_blobs();
    pin();
    store_.require_sound(model_, manifest_, {});
    run_parallel(blobs_.size(), options_.transfers,
                 [this](const Stopped& stopped) { return worker(stopped); });
    put_manifest();
    remember();
    return report_;
  }

 private:
  struct Blob {
    BlobToSend send;
    std::string path;
    std::uint64_t done = 0;
  };

  void refuse_another_digest() const {
    const auto& wanted = link_->reference.digest;
    if (!wanted || *wanted == manifest_.digest) return;
    throw Error(RH_INVALID_ARGUMENT,
                "reference '" + link_->reference.text() + "': model '" + model_.name +
                    "' has another digest, " + manifest_.digest.text(),
                "leave the digest out");
  }

  void list_blobs() {
    std::set<Digest> listed;
    const auto list = [&](const Digest& digest, std::uint64_t size, const std::string& path) {
      if (!listed.insert(digest).second) return;
      const std::string from = memory_.elsewhere(digest, link_->reference.repository);
      blobs_.push_back({{digest, size, paths_.blob(digest), from}, path});
      report_.bytes += size;
    };
    list(manifest_.config.digest, manifest_.config.size, "config");
    for (const ModelFile& file : manifest_.files)
      list(file.digest, file.size, file.path);
    report_.blobs = static_cast<unsigned>(blobs_.size());
  }

  // Another process may take the name away meanwhile; the blobs stay.
  void pin() {
    const StoreLock lock(paths_, StoreLock::Mode::exclusive);
    for (const Blob& blob : blobs_)
      session_.pin(blob.send.digest);
  }

  Piece worker(const Stopped& stopped) {
    auto client = std::make_shared<RegistryClient>(link_, RegistryUse::push, stopped);
    return [this, client, stopped](std::size_t index) { send(*client, blobs_[index], stopped); };
  }

  void send(RegistryClient& client, Blob& blob, const Stopped& stopped) {
    UploadMemory memory(paths_, link_->reference, blob.send.digest);
    const UploadOptions options{options_.chunk_bytes, [&](std::uint64_t done) { seen(blob, done); },
                                either(stopped, link_->http.cancelled)};
    const SentBlob sent = send_blob(client, blob.send, memory, options);
    seen(blob, blob.send.size);
    const std::scoped_lock lock(mutex_);
    report_.bytes_sent += sent.bytes;
    ++(sent.how == Sent::there     ? report_.there
       : sent.how == Sent::mounted ? report_.mounted
                                   : report_.uploaded);
  }

  void seen(Blob& blob, std::uint64_t done) {
    const std::scoped_lock lock(mutex_);
    done_ += done - blob.done;  // may be less than before: a cut makes bytes useless
    blob.done = done;
    if (!options_.progress) return;
    options_.progress(
        {blob.path, done_, report_.bytes, 0, FileProgress{blob.send.digest.text(), done, blob.send.size}});
  }

  void put_manifest() {
    RegistryClient client(link_, RegistryUse::push, {});
    const std::string selector = link_->reference.selector();
    const std::string text =
        read_blob(paths_, manifest_.digest, kMaximumManifestBytes, "model '" + model_.name + "': manifest");
    with_retries(Backoff(link_->http.cancelled), [&] {
      // A registry whose tags may not be moved refuses the same once more.
      report_.manifest_there = client.manifest_digest(selector) == manifest_.digest;
      if (!report_.manifest_there) client.put_manifest(selector, kManifestType, text);
    });
  }

  void remember() {
    std::vector<Digest> digests;
    for (const Blob& blob : blobs_)
      digests.push_back(blob.send.digest);
    memory_.add(link_->reference.repository, digests);
  }

  Store& store_;
  const StorePaths paths_;
  const StoredModel& model_;
  const ModelManifest manifest_;
  const std::shared_ptr<RegistryLink>& link_;
  const PushOptions& options_;
  StoreSession session_;
  BlobMemory memory_;
  std::vector<Blob> blobs_;
  std::mutex mutex_;  // for what follows, and the `done` of blobs
  std::uint64_t done_ = 0;
  PushReport report_;
};

}  // namespace

PushReport push_model(Store& store, const StoredModel& model, const std::shared_ptr<RegistryLink>& link,
                      const PushOptions& options) {
  return Push(store, model, link, options).run();
}

}  // namespace roundhouse::host
