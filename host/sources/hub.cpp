// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>

#include "host/sources/hub_file.h"
#include "host/sources/hub_plan.h"
#include "host/sources/parallel.h"
#include "host/store/model_intake.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

// How far all files together are; from any thread.
class Meter {
 public:
  explicit Meter(const ProgressSeen& progress) : progress_(progress) {}

  // Before the work begins.
  void expect(std::uint64_t size, std::uint64_t missing) {
    total_ += size;
    done_ += static_cast<std::int64_t>(size - missing);
    before_ = static_cast<std::uint64_t>(done_);
  }
  void move(const std::string& path, std::int64_t bytes, const FileProgress& file) {
    const std::lock_guard lock(mutex_);
    done_ += bytes;
    if (!progress_) return;
    const auto done = static_cast<std::uint64_t>(std::max<std::int64_t>(done_, 0));
    progress_({path, std::min(done, total_), total_, std::min(before_, done), file});
  }

 private:
  const ProgressSeen& progress_;
  std::mutex mutex_;
  std::int64_t done_ = 0;
  std::uint64_t total_ = 0, before_ = 0;
};

std::string listed_digest(const HubFile& file) {
  if (file.sha256) return file.sha256->text();
  return file.git_sha1.empty() ? "" : "git-sha1:" + file.git_sha1;
}

// What is said of one file moves the meter by the difference to what was said before.
class FileMeter {
 public:
  FileMeter(Meter& meter, const HubItem& item, std::uint64_t said)
      : meter_(meter), path_(item.path), file_{listed_digest(item.file), said, item.file.size} {}
  void set(std::uint64_t bytes) {
    const auto difference = static_cast<std::int64_t>(bytes) - static_cast<std::int64_t>(file_.done);
    file_.done = bytes;
    meter_.move(path_, difference, file_);
  }

 private:
  Meter& meter_;
  const std::string& path_;
  FileProgress file_;
};

// What each thread has of its own.
struct Worker {
  Worker(const HubOptions& all, const Stopped& failed)
      : options(stopping(all, failed)), client(options.http) {}

  static HubOptions stopping(HubOptions options, const Stopped& failed) {
    options.http.cancelled = either(options.http.cancelled, failed);
    return options;
  }

  const HubOptions options;
  HttpClient client;
};

class HubPull {
 public:
  HubPull(const Store& store, const std::vector<HubPart>& parts, const HubOptions& options,
          const ImportOptions& import)
      : parts_(parts), options_(options), import_(import), intake_(store.root()), meter_(import_.progress) {}

  ImportReport run(const ModelName& name) {
    if (options_.offline) {
      plan_ = plan_of_cache(parts_, options_);
    } else {
      HttpClient client(options_.http);
      plan_ = plan_of_hub(parts_, options_, client);
    }
    measure();
    work();
    const std::string source = parts_.front().repository.text();
    const ModelDirectory inspected = intake_.inspect(source, import_.check);
    ModelIntake::require_architecture(import_, inspected, source);
    import_.provenance.kind = "hub";
    import_.provenance.repository = parts_.front().repository.name;
    import_.provenance.revision = plan_.commit;
    ImportReport report = intake_.finish(name, inspected, import_, source);
    report.bytes_fetched = fetched_;
    return report;
  }

 private:
  // Takes stock, and makes sure that there is room for what has to come.
  void measure() {
    std::uint64_t needed = 0, whole = 0;
    for (const HubItem& item : plan_.items)
      whole += item.file.size;
    if (options_.maximum_bytes && whole > *options_.maximum_bytes)
      throw Error(RH_SOURCE_REJECTED,
                  fmt::format("{}: the model's files have {} bytes, its recipe allows {}",
                              parts_.front().repository.text(), whole, *options_.maximum_bytes));
    for (const HubItem& item : plan_.items) {
      const bool known = item.file.sha256 || !item.file.git_sha1.empty();
      missing_.push_back(known ? missing_bytes(intake_.paths(), item.target()) : item.file.size);
      meter_.expect(item.file.size, missing_.back());
      const bool shared =
          !item.cached.empty() && intake_.writer().shares(item.cached.front(), item.path, link_mode());
      if (!shared) needed += missing_.back();
    }
    intake_.require_space(needed);
  }

  LinkMode link_mode() const {
    return import_.link_mode == LinkMode::automatic ? LinkMode::link : import_.link_mode;
  }

  void work() {
    run_parallel(plan_.items.size(), options_.parallel, [this](const Stopped& failed) -> Piece {
      auto own = std::make_shared<Worker>(options_, failed);
      return [this, own](std::size_t i) {
        intake_.add(plan_.items[i].path, take(*own, plan_.items[i], missing_[i]));
      };
    });
  }

  static void tick(const Worker& worker, const HubItem& item) {
    if (worker.options.http.cancelled())
      throw Error(RH_CANCELLED, "cancelled while pulling '" + item.path + "'");
  }

  BlobPlaced take(Worker& worker, const HubItem& item, std::uint64_t missing) {
    FileMeter meter(meter_, item, item.file.size - missing);
    if (options_.offline) {
      if (auto placed = cached(worker, item, meter)) return std::move(*placed);
      throw Error(RH_WEIGHTS_MISSING, "file '" + item.path + "': is not in the hub's cache any more");
    }
    Download download(intake_.paths(), item.target(), [&] { tick(worker, item); });
    auto placed = download.present(intake_.writer());
    if (!placed) meter.set(download.have());
    if (!placed) placed = cached(worker, item, meter);
    if (!placed) {
      fetch_hub_file(worker.client, worker.options, item.repository, item.file, download,
                     [&](std::int64_t bytes) {
                       if (bytes > 0) fetched_ += static_cast<std::uint64_t>(bytes);
                       meter.set(download.have());
                     });
      placed = download.publish(intake_.writer());
    }
    meter.set(item.file.size);
    return std::move(*placed);
  }

  // From the hub's cache, where a file there is what the hub lists.
  std::optional<BlobPlaced> cached(const Worker& worker, const HubItem& item, FileMeter& meter) {
    for (const fs::path& path : item.cached) {
      GitBlobSha1 git(item.file.size);
      std::uint64_t seen = 0;
      const PieceSeen count = [&](std::string_view bytes) {
        tick(worker, item);
        seen += bytes.size();
        if (!item.file.git_sha1.empty()) git.update(bytes);
        meter.set(std::min(seen, item.file.size));
      };
      try {
        BlobPlaced placed = intake_.writer().place(path, item.path, link_mode(), count);
        const std::string sha1 = git.finish();
        const bool right = (!item.file.sha256 || placed.digest == *item.file.sha256) &&
                           (item.file.git_sha1.empty() || sha1 == item.file.git_sha1);
        if (right) return placed;
      } catch (const Error& error) {
        if (error.code() != RH_IO_ERROR) throw;  // what cannot be read can be fetched
      }
    }
    return std::nullopt;
  }

  const std::vector<HubPart>& parts_;
  const HubOptions& options_;
  ImportOptions import_;
  ModelIntake intake_;
  Meter meter_;
  HubPlan plan_;
  std::vector<std::uint64_t> missing_;  // bytes of each item, at the start
  std::atomic<std::uint64_t> fetched_ = 0;
};

}  // namespace

ImportReport pull_from_hub(const Store& store, const std::vector<HubPart>& parts, const ModelName& name,
                           const HubOptions& options, const ImportOptions& import) {
  if (parts.empty()) throw Error(RH_INVALID_ARGUMENT, "a pull needs at least one repository");
  return HubPull(store, parts, options, import).run(name);
}

std::string hub_model_name(const HubRepository& repository) {
  return ModelName::made_of(repository.name.substr(repository.name.find('/') + 1)).text();
}

}  // namespace roundhouse::host
