// SPDX-License-Identifier: Apache-2.0
#include "host/store/download.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>

#include "host/store/blob_writer.h"
#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr const char* kPart = ".part";        // bytes from the start; locked while somebody is at work on it
constexpr const char* kDone = ".done";        // the digest of the blob that a file without a known one became
constexpr const char* kFetched = ".fetched";  // of a blob: no model was made of it yet
constexpr auto kGlance = std::chrono::milliseconds(50);
constexpr std::size_t kDoneBytes = 128;

fs::path file_of(const StorePaths& paths, const DownloadTarget& target, const char* ending) {
  const std::string key =
      target.sha256 ? target.sha256->text() : "git:" + target.git_sha1 + ":" + target.scope;
  return paths.downloads() / (sha256(key).hex() + ending);
}

fs::path fetched_mark(const StorePaths& paths, const Digest& blob) {
  return paths.downloads() / (blob.hex() + kFetched);
}

File open_part(const fs::path& path, int flags) {
  return File(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0644));
}

// Whether the lock was free.
bool lock(const File& file) {
  while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw_system("a download's lock", errno);
  }
  return true;
}

// Whether the name still stands for the open file: whoever had the lock may have removed or renamed it.
bool is_there(const File& file, const fs::path& path) {
  struct stat opened {
  }, named{};
  return ::fstat(file.get(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

std::optional<Digest> known_digest(const StorePaths& paths, const DownloadTarget& target) {
  if (target.sha256) return target.sha256;
  try {
    const auto text = read_small_file(file_of(paths, target, kDone), "record of a download", kDoneBytes);
    return text ? Digest::parse(*text) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace

// All that has to be known of the bytes, in one pass.
class Download::Hashes {
 public:
  explicit Hashes(const DownloadTarget& target) : weights_(WeightDigests::apply_to(target.path)) {
    if (!target.git_sha1.empty()) git_.emplace(target.size);
  }
  void update(std::string_view bytes) {
    sha256_.update(bytes);
    if (git_) git_->update(bytes);
    if (weights_) tensors_.update(bytes);
  }
  Digest sha256() { return sha256_.finish(); }
  std::string git_sha1() { return git_ ? git_->finish() : ""; }
  std::optional<WeightRecord> weights() { return weights_ ? tensors_.finish() : std::nullopt; }

 private:
  Sha256 sha256_;
  std::optional<GitBlobSha1> git_;
  bool weights_;
  WeightDigests tensors_;
};

Download::Download(const StorePaths& paths, DownloadTarget target, std::function<void()> tick)
    : paths_(paths),
      target_(std::move(target)),
      tick_(std::move(tick)),
      shown_("file '" + target_.path + "'") {
  make_directories(paths_.downloads());
  open_locked();
  have_ = file_size(part_, shown_);
  if (have_ > target_.size) restart();
}

Download::~Download() {
  // What is empty is of no use to anybody; the lock is still held.
  struct stat status {};
  if (part_ && ::fstat(part_.get(), &status) == 0 && status.st_size == 0 && is_there(part_, file(kPart)))
    ::unlink(file(kPart).c_str());
}

fs::path Download::file(const char* ending) const {
  return file_of(paths_, target_, ending);
}

void Download::open_locked() {
  do {
    part_ = open_part(file(kPart), O_CREAT);
    if (!part_) throw_system(shown_ + ": '" + file(kPart).string() + "'", errno);
    while (!lock(part_)) {
      tick_();
      std::this_thread::sleep_for(kGlance);
    }
  } while (!is_there(part_, file(kPart)));
}

std::optional<BlobPlaced> Download::present(BlobWriter& writer) {
  const auto digest = known_digest(paths_, target_);
  if (!digest) return std::nullopt;
  auto placed = writer.find(*digest, target_.size, target_.path, [this](std::string_view) { tick_(); });
  if (placed) ::unlink(file(kPart).c_str());
  return placed;
}

std::uint64_t Download::have() const {
  return have_;
}

// Hashes what an earlier process has left.
void Download::catch_up() {
  if (hashes_) return;
  auto hashes = std::make_unique<Hashes>(target_);
  read_pieces(part_, shown_, [&](std::string_view bytes) {
    tick_();
    hashes->update(bytes);
    return true;
  });
  if (::lseek(part_.get(), static_cast<off_t>(have_), SEEK_SET) < 0) throw_system(shown_, errno);
  hashes_ = std::move(hashes);
}

void Download::append(std::string_view bytes) {
  catch_up();
  if (bytes.size() > target_.size - have_)
    throw Error(RH_SOURCE_REJECTED,
                fmt::format("{}: the source sends more than the {} bytes it has", shown_, target_.size));
  write_all(part_, bytes, "store '" + paths_.root.string() + "': " + shown_);
  hashes_->update(bytes);
  have_ += bytes.size();
}

void Download::restart() {
  if (::ftruncate(part_.get(), 0) != 0) throw_system(shown_, errno);
  have_ = 0;
  hashes_.reset();
}

void Download::require_expected(const Digest& digest, const std::string& git_sha1) const {
  std::string wrong;
  if (have_ != target_.size)
    wrong = fmt::format("has {} bytes, expected {}", have_, target_.size);
  else if (target_.sha256 && digest != *target_.sha256)
    wrong = "sha256 is " + digest.brief() + ".., expected " + target_.sha256->brief() + "..";
  else if (!target_.git_sha1.empty() && git_sha1 != target_.git_sha1)
    wrong = "git sha1 is " + git_sha1.substr(0, 12) + ".., expected " + target_.git_sha1.substr(0, 12) + "..";
  if (wrong.empty()) return;
  ::unlink(file(kPart).c_str());
  throw Error(RH_INTEGRITY_MISMATCH, shown_ + ": " + wrong,
              "what was fetched is not what the source lists, and was removed: try again");
}

BlobPlaced Download::publish(BlobWriter& writer) {
  catch_up();
  BlobPlaced placed{hashes_->sha256(), have_, Placed::fetched, hashes_->weights()};
  const std::string git_sha1 = hashes_->git_sha1();
  hashes_.reset();
  require_expected(placed.digest, git_sha1);
  if (!target_.sha256) {
    const File record(
        ::open(file(kDone).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644));
    if (record) write_all(record, placed.digest.text(), shown_);
  }
  // First, so that no moment is without it.
  const File fetched(
      ::open(fetched_mark(paths_, placed.digest).c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  ::chmod(file(kPart).c_str(), kBlobMode);
  writer.publish(file(kPart), placed.digest);
  ::unlink(file(kPart).c_str());  // where the store had the blob meanwhile
  return placed;
}

fs::path Download::path() const {
  return file(kPart);
}

void Download::discard() {
  ::unlink(file(kPart).c_str());
}

std::uint64_t missing_bytes(const StorePaths& paths, const DownloadTarget& target) {
  const auto size_of = [](const fs::path& file) {
    std::error_code error;
    const auto size = fs::file_size(file, error);
    return error ? 0 : size;
  };
  const auto digest = known_digest(paths, target);
  if (digest && target.size > 0 && size_of(paths.blob(*digest)) == target.size) return 0;
  const auto have = size_of(file_of(paths, target, kPart));
  return have > target.size ? target.size : target.size - have;
}

std::set<Digest> fetched_blobs(const StorePaths& paths) {
  std::set<Digest> blobs;
  std::error_code error;
  for (fs::directory_iterator it(paths.downloads(), error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() != kFetched) continue;
    if (const auto digest = Digest::from_hex(it->path().stem().string())) blobs.insert(*digest);
  }
  return blobs;
}

void forget_fetched(const StorePaths& paths, const std::vector<OciDescriptor>& blobs) {
  for (const OciDescriptor& blob : blobs)
    ::unlink(fetched_mark(paths, blob.digest).c_str());
}

namespace {

void remove_idle(const fs::path& directory, PartialDownloads& removed) {
  std::error_code error;
  for (fs::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    const File file = open_part(it->path(), 0);
    if (file && (!lock(file) || !is_there(file, it->path()))) continue;
    if (file) removed.bytes += file_size(file, "a download");
    std::error_code ignored;
    if (fs::remove(it->path(), ignored)) removed.files.push_back(it->path());
  }
}

}  // namespace

PartialDownloads remove_idle_downloads(const StorePaths& paths) {
  PartialDownloads removed;
  remove_idle(paths.downloads(), removed);
  remove_idle(paths.root / "cache/uploads", removed);  // of pushes, see UploadMemory
  std::sort(removed.files.begin(), removed.files.end());
  return removed;
}

}  // namespace roundhouse::host
