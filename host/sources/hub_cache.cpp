// SPDX-License-Identifier: Apache-2.0
#include "host/sources/hub_cache.h"

#include "host/store/small_file.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaximumReferenceBytes = 256;
constexpr std::size_t kDigitsOfCommit = 40;

bool is_commit(const std::string& text) {
  return text.size() == kDigitsOfCommit && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

HubCache::HubCache(const fs::path& cache, const std::string& repository) {
  if (cache.empty()) return;
  std::string name = "models--" + repository;
  if (const auto slash = name.find('/'); slash != std::string::npos) name.replace(slash, 1, "--");
  directory_ = cache / name;
}

std::optional<std::string> HubCache::commit(const std::string& revision) const {
  if (directory_.empty()) return std::nullopt;
  std::error_code ignored;
  if (is_commit(revision) && fs::is_directory(snapshot(revision), ignored)) return revision;
  auto text = read_small_file(directory_ / "refs" / revision, "the hub's cache: refs/" + revision,
                              kMaximumReferenceBytes);
  if (!text) return std::nullopt;
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r'))
    text->pop_back();
  return is_commit(*text) && fs::is_directory(snapshot(*text), ignored) ? text : std::nullopt;
}

fs::path HubCache::snapshot(const std::string& commit) const {
  return directory_ / "snapshots" / commit;
}

std::vector<fs::path> HubCache::candidates(const HubFile& file, const std::string& commit) const {
  std::vector<fs::path> found;
  if (directory_.empty()) return found;
  const std::string etag = file.sha256 ? file.sha256->hex() : file.git_sha1;
  for (const fs::path& path : {snapshot(commit) / file.path, directory_ / "blobs" / etag}) {
    std::error_code error;
    if (fs::is_regular_file(path, error) && fs::file_size(path, error) == file.size && !error)
      found.push_back(path);
  }
  return found;
}

}  // namespace roundhouse::host
