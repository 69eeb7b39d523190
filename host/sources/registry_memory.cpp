// SPDX-License-Identifier: Apache-2.0
#include "host/sources/registry_memory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "host/store/small_file.h"
#include "host/text/json_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMaximumMemoryBytes = 16 << 20, kMaximumLocationBytes = 16 << 10;
constexpr std::size_t kMaximumBlobs = 50'000;  // of one repository; beyond, it is forgotten

std::string shown_file(const fs::path& path) {
  return "file '" + path.string() + "'";
}

// The file, made where there is none and locked; none when it is locked already and `wait` is false. Only its
// owner may read it: a Location can be as good as a permission.
File open_locked(const fs::path& path, bool wait) {
  make_directories(path.parent_path());
  File file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) throw_system(shown_file(path), errno);
  while (::flock(file.get(), LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) return File();
    throw_system(shown_file(path), errno);
  }
  return file;
}

std::string text_of(const File& file, const fs::path& path, std::size_t limit) {
  std::string text;
  read_pieces(file, shown_file(path), [&](std::string_view piece) {
    text += piece;
    return text.size() <= limit;
  });
  return text.size() <= limit ? text : "";
}

// In place: a process that is killed meanwhile leaves what is read as nothing.
void replace_text(const File& file, const fs::path& path, const std::string& text) {
  if (::ftruncate(file.get(), 0) != 0 || ::lseek(file.get(), 0, SEEK_SET) != 0)
    throw_system(shown_file(path), errno);
  write_all(file, text, shown_file(path));
}

}  // namespace

BlobMemory::Known BlobMemory::parse(const std::string& text) {
  Known known;
  const json root = json::parse(text, nullptr, false);
  if (!root.is_object()) return known;
  for (const auto& [repository, digests] : root.items()) {
    if (!is_repository(repository) || !digests.is_array() || digests.size() > kMaximumBlobs) continue;
    for (const json& digest : digests) {
      if (digest.is_string() && Digest::from_hex(digest.get_ref<const std::string&>()))
        known[repository].insert(digest);
    }
  }
  return known;
}

BlobMemory::BlobMemory(const StorePaths& paths, const std::string& registry)
    : file_(paths.root / "cache/registries" / (registry + ".json")) {
  std::error_code ignored;
  if (!fs::exists(file_, ignored)) return;
  const File file = open_locked(file_, true);
  known_ = parse(text_of(file, file_, kMaximumMemoryBytes));
}

std::string BlobMemory::elsewhere(const Digest& digest, const std::string& target) const {
  for (const auto& [repository, digests] : known_) {
    if (repository != target && digests.contains(digest.hex())) return repository;
  }
  return "";
}

void BlobMemory::add(const std::string& repository, const std::vector<Digest>& digests) {
  const File file = open_locked(file_, true);
  known_ = parse(text_of(file, file_, kMaximumMemoryBytes));
  auto& blobs = known_[repository];
  for (const Digest& digest : digests)
    blobs.insert(digest.hex());
  replace_text(file, file_, json_text(json(known_)));
}

UploadMemory::UploadMemory(const StorePaths& paths, const RegistryReference& reference, const Digest& digest)
    : path_(paths.root / "cache/uploads" /
            sha256(reference.registry + "/" + reference.repository + "@" + digest.text()).hex()),
      file_(open_locked(path_, false)) {
}

std::optional<Url> UploadMemory::location() const {
  if (!file_) return std::nullopt;
  std::string text = text_of(file_, path_, kMaximumLocationBytes);
  if (text.empty() || text.back() != '\n') return std::nullopt;
  text.pop_back();
  try {
    return Url::parse(text);
  } catch (const Error&) {
    return std::nullopt;
  }
}

void UploadMemory::keep(const Url& location) {
  if (file_) replace_text(file_, path_, location.text() + "\n");
}

void UploadMemory::forget() {
  if (!file_) return;
  std::error_code ignored;
  fs::remove(path_, ignored);
  file_ = File();
}

}  // namespace roundhouse::host
