// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <numeric>

#include "host/sources/file_beginning.h"
#include "host/sources/hub_file.h"
#include "host/sources/hub_meter.h"
#include "host/sources/hub_plan.h"
#include "host/sources/parallel.h"
#include "host/store/file.h"
#include "host/store/model_intake.h"
#include "host/store/weight_files.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

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
    plan();
    measure();
    placed_.resize(plan_.items.size());
    const std::string source = parts_.front().repository.text();
    rehearse(source);
    work(unplaced());
    const ModelDirectory inspected = intake_.inspect(source, import_.check);
    ModelIntake::require_architecture(import_, inspected, source);
    import_.provenance.kind = "hub";
    import_.provenance.repository = parts_.front().repository.name;
    import_.provenance.revision = plan_.commit;
    std::map<std::string, std::string> sources;
    for (const HubItem& item : plan_.items)
      sources.emplace(item.repository.name, item.repository.revision);
    if (sources.size() > 1) import_.provenance.sources = std::move(sources);
    ImportReport report = intake_.finish(name, inspected, import_, source);
    return told(std::move(report));
  }

  ImportReport run(const HubPartsUse& use) {
    plan();
    measure();
    placed_.resize(plan_.items.size());
    if (plan_.items.size() == 1 && missing_[0] > 0 && !options_.offline) look(plan_.items[0], use.look);
    work(unplaced());
    HubParts parts{{}, "", plan_.commit};
    if (plan_.items.size() == 1) {
      parts.file = plan_.items[0].file.path;
      parts.path = intake_.paths().blob(placed_[0]->digest);
    } else {
      parts.path = linked();
    }
    return told(use.take(parts));
  }

 private:
  void plan() {
    if (options_.offline) {
      plan_ = plan_of_cache(parts_, options_);
    } else {
      HttpClient client(options_.http);
      plan_ = plan_of_hub(parts_, options_, client);
    }
  }

  ImportReport told(ImportReport report) const {
    report.bytes_fetched = fetched_;
    report.notes.insert(report.notes.begin(), plan_.notes.begin(), plan_.notes.end());
    return report;
  }

  void look(const HubItem& item, const std::function<void(const HubParts&)>& seen) {
    HttpClient client(options_.http);
    const fs::path file = intake_.session().fresh_path();
    begin(client, 0, file);
    seen({file, item.file.path, plan_.commit});
  }

  // The file as it will be, but for its data; what comes for that is kept.
  void begin(HttpClient& client, std::size_t i, const fs::path& to) {
    const HubItem& item = plan_.items[i];
    Download download(intake_.paths(), item.target(), [&] {
      if (options_.http.cancelled && options_.http.cancelled())
        throw Error(RH_CANCELLED, "cancelled while pulling '" + item.path + "'");
    });
    const std::uint64_t before = download.have();
    write_beginning(to, item.path, item.file.size, [&](std::uint64_t wanted) {
      return beginning_of(download, wanted, [&](std::uint64_t bytes) {
        std::string text = fetch_hub_beginning(client, options_, item.repository, item.file, bytes);
        fetched_ += text.size();
        return text;
      });
    });
    FileMeter(meter_, item, before).set(download.have());
    missing_[i] = item.file.size - download.have();
  }

  // In place of a file of weights: itself where it is here, else what begins it.
  void stand_in(HttpClient& client, std::size_t i, const fs::path& directory) {
    const HubItem& item = plan_.items[i];
    std::error_code error;
    if (missing_[i] == 0) work({i});
    if (placed_[i]) return link(directory, {i});
    make_directories((directory / item.path).parent_path());
    const auto known = std::ranges::find_if(
        item.cached, [&](const fs::path& path) { return fs::is_regular_file(path, error); });
    if (known == item.cached.end()) return begin(client, i, directory / item.path);
    fs::create_symlink(fs::absolute(*known), directory / item.path, error);
    if (error) throw_system("file '" + item.path + "'", error.value());
  }

  // Before weights travel: the small files come, of the others what begins them, and the model is judged as
  // it will be.
  void rehearse(const std::string& source) {
    std::vector<std::size_t> small, weights;
    std::uint64_t missing = 0;
    for (std::size_t i = 0; i < plan_.items.size(); ++i) {
      const bool heavy = is_weights_path(plan_.items[i].path) && !plan_.items[i].path.ends_with(".json");
      (heavy ? weights : small).push_back(i);
      if (heavy) missing += missing_[i];
    }
    work(small);
    if (missing == 0 || options_.offline || !import_.check) return;
    const fs::path directory = intake_.session().fresh_path();
    link(directory, small);
    HttpClient client(options_.http);
    for (const std::size_t i : weights)
      stand_in(client, i, directory);
    ModelIntake::judge(directory, source, [&](const ModelDirectory& found) {
      ModelIntake::require_architecture(import_, found, source);
      require_looked(source, import_.check(directory, found));
    });
    std::error_code ignored;
    fs::remove_all(directory, ignored);
  }

  // What was fetched, as a directory.
  fs::path linked() {
    fs::path directory = intake_.session().fresh_path();
    std::vector<std::size_t> all(plan_.items.size());
    std::iota(all.begin(), all.end(), 0);
    link(directory, all);
    return directory;
  }

  void link(const fs::path& directory, const std::vector<std::size_t>& items) {
    for (const std::size_t i : items) {
      const fs::path file = directory / plan_.items[i].path;
      make_directories(file.parent_path());
      std::error_code error;
      fs::create_symlink(fs::absolute(intake_.paths().blob(placed_[i]->digest)), file, error);
      if (error) throw_system("file '" + file.string() + "'", error.value());
    }
  }

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

  std::vector<std::size_t> unplaced() const {
    std::vector<std::size_t> items;
    for (std::size_t i = 0; i < placed_.size(); ++i) {
      if (!placed_[i]) items.push_back(i);
    }
    return items;
  }

  void work(const std::vector<std::size_t>& items) {
    run_parallel(items.size(), options_.parallel, [this, &items](const Stopped& failed) -> Piece {
      auto own = std::make_shared<Worker>(options_, failed);
      return [this, own, &items](std::size_t piece) {
        const std::size_t i = items[piece];
        placed_[i] = take(*own, plan_.items[i], missing_[i]);
        intake_.add(plan_.items[i].path, *placed_[i]);
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
      const PieceCallback count = [&](std::string_view bytes) {
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
  std::vector<std::uint64_t> missing_;             // bytes of each item, at the start
  std::vector<std::optional<BlobPlaced>> placed_;  // each item, at the end
  std::atomic<std::uint64_t> fetched_ = 0;
};

}  // namespace

ImportReport pull_from_hub(const Store& store, const std::vector<HubPart>& parts, const ModelName& name,
                           const HubOptions& options, const ImportOptions& import) {
  if (parts.empty()) throw Error(RH_INVALID_ARGUMENT, "a pull needs at least one repository");
  return HubPull(store, parts, options, import).run(name);
}

ImportReport pull_parts_from_hub(const Store& store, const HubPart& part, const HubOptions& options,
                                 const ImportOptions& import, const HubPartsUse& use) {
  const std::vector<HubPart> parts = {part};
  return HubPull(store, parts, options, import).run(use);
}

std::string hub_model_name(const HubRepository& repository) {
  const std::string name = ModelName::made_of(repository.name.substr(repository.name.find('/') + 1)).text();
  if (repository.file.empty()) return name;
  const std::string file = repository.file.substr(repository.file.rfind('/') + 1);
  for (const char* ending : {".gguf", ".safetensors"}) {
    if (file.ends_with(ending)) return ModelName::made_of(fs::path(file).stem().string()).text();
  }
  const auto variant = ModelName::try_parse(name + ":" + file);
  return variant ? variant->text() : name;
}

}  // namespace roundhouse::host
