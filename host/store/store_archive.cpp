// SPDX-License-Identifier: Apache-2.0
// Models as one file: an OCI image layout in a tar archive.
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>

#include "host/store/blob_writer.h"
#include "host/store/model_intake.h"
#include "host/store/small_file.h"
#include "host/store/store_internal.h"
#include "host/store/tar_file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kBlobPrefix = "blobs/sha256/";

std::string text_of(const TarEntry& entry, std::size_t limit) {
  if (entry.size > limit)
    throw Error(RH_MODEL_INVALID,
                fmt::format("{}: has {} bytes, expected at most {}", entry.name, entry.size, limit));
  std::string text;
  entry.data([&](std::string_view bytes) {
    text += bytes;
    return text.size() <= limit;
  });
  return text;
}

// The digest that an entry's name promises; none for what is no blob.
std::optional<Digest> promised(const std::string& name) {
  const std::string prefix = kBlobPrefix;
  return name.starts_with(prefix) ? Digest::from_hex(name.substr(prefix.size())) : std::nullopt;
}

class ArchiveImport {
 public:
  ArchiveImport(Store& store, const StorePaths& paths, const fs::path& file, const ImportOptions& options)
      : store_(store),
        paths_(paths),
        file_(file),
        options_(options),
        session_(paths),
        writer_(paths, session_) {}

  ImportReport run(const std::optional<ModelName>& wanted) {
    look_through();
    const OciDescriptor entry = only_entry();
    const ModelName name = wanted ? *wanted : ModelName::parse(entry_name(entry));
    take_blobs();
    const StoredModel model{name.text(), entry.digest, {}, {}, entry.size};
    require_blob(entry, "manifest");
    const ModelManifest manifest = store_.manifest(model);
    require_blob(manifest.config, "config");
    for (const ModelFile& file : manifest.files)
      require_blob({file.media_type, file.digest, file.size, {}}, file.path);
    store_.config(model, manifest);
    writer_.sync();
    const fs::path view = store_.view(manifest);
    const ModelDirectory inspected = inspect_model_directory(view);
    const std::string not_looked = options_.check ? options_.check(view, inspected) : "";
    const Committed committed =
        commit(paths_, session_, name, entry, fs::absolute(file_).lexically_normal().string());
    ImportReport report = counted(committed, manifest);
    if (!not_looked.empty()) report.notes.push_back(not_looked_note(not_looked));
    return report;
  }

 private:
  // What there is, without the data of blobs.
  void look_through() {
    std::uint64_t needed = 0;
    bool layout = false;
    read_tar(file_, [&](const TarEntry& entry) {
      if (entry.name == "index.json")
        index_ = OciIndex::parse(text_of(entry, kMaximumIndexBytes), "index.json");
      layout = layout || entry.name == "oci-layout";
      const auto digest = promised(entry.name);
      if (!digest) return;
      total_ += entry.size;
      struct stat status {};
      const bool there = ::lstat(paths_.blob(*digest).c_str(), &status) == 0;
      if (!there) needed += entry.size;
    });
    if (!layout || !index_)
      throw Error(RH_MODEL_INVALID, "archive '" + file_.string() +
                                        "': has no oci-layout or no index.json, expected "
                                        "an OCI image layout");
    const std::uint64_t free = free_bytes(paths_.root);
    if (needed > free)
      throw Error(RH_INSUFFICIENT_STORAGE, fmt::format("store '{}': the model needs {} bytes, {} are free",
                                                       paths_.root.string(), needed, free));
  }

  OciDescriptor only_entry() const {
    if (index_->entries().size() != 1)
      throw Error(RH_MODEL_INVALID, fmt::format("archive '{}': holds {} models, expected one", file_.string(),
                                                index_->entries().size()));
    return index_->entries().front();
  }

  void take_blobs() {
    read_tar(file_, [&](const TarEntry& entry) {
      const auto digest = promised(entry.name);
      if (!digest || placed_.contains(*digest)) return;
      const bool kept = writer_.keep(*digest, entry.size);
      if (!kept) take(entry, *digest);
      if (kept) done_ += entry.size;
      placed_.emplace(*digest, BlobPlaced{*digest, entry.size, kept ? Placed::present : Placed::copied, {}});
    });
  }

  void take(const TarEntry& entry, const Digest& digest) {
    const fs::path temporary = session_.fresh_path();
    const std::string shown = "store '" + paths_.root.string() + "': " + entry.name;
    Sha256 hash;
    {
      const File target = create_file(temporary);
      reserve_space(target, entry.size, shown);
      entry.data([&](std::string_view bytes) {
        hash.update(bytes);
        write_all(target, bytes, shown);
        done_ += bytes.size();
        if (options_.progress) options_.progress({entry.name, std::min(done_, total_), total_});
        return true;
      });
    }
    const Digest found = hash.finish();
    if (found != digest)
      throw Error(RH_INTEGRITY_MISMATCH,
                  "archive '" + file_.string() + "': " + entry.name + ": sha256 is " + found.brief() + "..");
    ::chmod(temporary.c_str(), 0444);
    writer_.publish(temporary, digest);
  }

  void require_blob(const OciDescriptor& blob, const std::string& what) {
    const auto placed = placed_.find(blob.digest);
    const bool known = placed != placed_.end();
    if (known && placed->second.size == blob.size) return;
    if (known)
      throw Error(RH_MODEL_INVALID, fmt::format("archive '{}': {}: has {} bytes, its descriptor says {}",
                                                file_.string(), what, placed->second.size, blob.size));
    // An archive may leave out what the store has.
    if (writer_.keep(blob.digest, blob.size)) return;
    throw Error(RH_WEIGHTS_MISSING,
                "archive '" + file_.string() + "': " + what + ": blob " + blob.digest.text() + " is missing");
  }

  ImportReport counted(const Committed& committed, const ModelManifest& manifest) const {
    ImportReport report;
    report.model = committed.model;
    report.bytes = manifest.bytes;
    report.replaced = committed.replaced;
    for (const ModelFile& file : manifest.files) {
      const auto placed = placed_.find(file.digest);
      const bool copied = placed != placed_.end() && placed->second.how == Placed::copied;
      ++report.files;
      ++(copied ? report.copied : report.present);
      if (copied) report.bytes_added += file.size;
    }
    return report;
  }

  Store& store_;
  const StorePaths& paths_;
  const fs::path& file_;
  const ImportOptions& options_;
  StoreSession session_;
  BlobWriter writer_;
  std::optional<OciIndex> index_;
  std::map<Digest, BlobPlaced> placed_;
  std::uint64_t done_ = 0, total_ = 0;
};

}  // namespace

ImportReport Store::import_archive(const fs::path& file, const std::optional<ModelName>& name,
                                   const ImportOptions& options) {
  open_for_reading(file, "archive '" + file.string() + "'", true);  // before a store is made
  {
    const StoreLock lock(paths_, StoreLock::Mode::shared);
    OciIndex::read(paths_);
  }
  return ArchiveImport(*this, paths_, file, options).run(name);
}

std::uint64_t Store::pack(const StoredModel& model, const fs::path& file, const ProgressCallback& progress) {
  const ModelManifest manifest = this->manifest(model);
  std::map<Digest, std::string> blobs = {{manifest.digest, "manifest"}, {manifest.config.digest, "config"}};
  for (const ModelFile& part : manifest.files)
    blobs.emplace(part.digest, part.path);
  OciIndex index;
  index.set(model.name, {kManifestType, manifest.digest, manifest.size, {}});
  TarWriter tar(file);
  tar.add("oci-layout", OciIndex::layout_text());
  tar.add("index.json", index.text());
  StoreProgress told{{}, 0, manifest.bytes + manifest.size + manifest.config.size};
  for (const auto& [digest, path] : blobs) {
    const std::string shown = "model '" + model.name + "': file '" + path + "'";
    const File blob = open_for_reading(paths_.blob(digest), shown, false);
    tar.begin(kBlobPrefix + digest.hex(), file_size(blob, shown));
    told.what = path;
    const Digest found = digest_of_file(blob, shown, [&](std::string_view bytes) {
      tar.write(bytes);
      told.done = std::min(told.done + bytes.size(), told.total);
      if (progress) progress(told);
    });
    if (found != digest)
      throw Error(RH_INTEGRITY_MISMATCH, shown + ": sha256 is " + found.brief() + "..",
                  "'roundhouse verify " + model.name + "' lists all damage");
  }
  tar.finish();
  return fs::file_size(file);
}

}  // namespace roundhouse::host
