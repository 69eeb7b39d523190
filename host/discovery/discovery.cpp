// SPDX-License-Identifier: Apache-2.0
// Reads the manifests of the search directories and marks duplicates.
#include "host/discovery/discovery.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <system_error>

#include "host/log/reason.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;

Candidate unreadable(const SearchDirectory& directory, const std::string& problem) {
  Candidate candidate;
  candidate.file = directory.path;
  candidate.origin = directory.origin;
  candidate.error = Error(RH_IO_ERROR, "engine directory '" + directory.path.string() + "': " + problem);
  return candidate;
}

// The *.json of one directory by name. A failure in the middle leaves what was listed until then.
std::vector<fs::path> manifest_files(const fs::path& directory, std::error_code& failure) {
  std::vector<fs::path> files;
  fs::directory_iterator entry(directory, failure);
  while (!failure && entry != fs::directory_iterator()) {
    std::error_code ignored;
    // A broken link stays in the list, so that it is reported.
    if (entry->path().extension() == ".json" && !entry->is_directory(ignored)) files.push_back(entry->path());
    entry.increment(failure);
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Of the file itself, where it is a link to one: a link that was turned elsewhere shows another file.
std::string stamp_of(const fs::path& file) {
  struct stat status {};
  if (stat(file.c_str(), &status) != 0) return "none";
  return fmt::format("{}:{}:{}.{:09}:{}.{:09}", status.st_ino, status.st_size, status.st_mtim.tv_sec,
                     status.st_mtim.tv_nsec, status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
}

Candidate read_candidate(const fs::path& file, const std::string& origin) {
  Candidate candidate;
  candidate.file = file;
  candidate.origin = origin;
  candidate.stamp = stamp_of(file);  // before it is read: what changes meanwhile is seen the next time
  try {
    candidate.manifest = read_manifest(file);
  } catch (const Error& error) {
    candidate.error = error;
  }
  if (candidate.manifest) candidate.stamp += " " + stamp_of(candidate.manifest->library);
  return candidate;
}

}  // namespace

std::vector<Candidate> discover(const std::vector<SearchDirectory>& directories) {
  std::vector<Candidate> candidates;
  std::map<std::string, fs::path> winners;
  for (const auto& directory : directories) {
    std::error_code failure;
    const auto files = manifest_files(directory.path, failure);
    const bool missing = failure == std::errc::no_such_file_or_directory;
    if (failure && (!missing || directory.origin == "flag")) {
      candidates.push_back(unreadable(directory, reason(failure)));
    }
    for (const auto& file : files) {
      Candidate candidate = read_candidate(file, directory.origin);
      if (candidate.manifest) {
        const auto [winner, first] = winners.emplace(candidate.manifest->id, file);
        if (!first) candidate.duplicate_of = winner->second;
      }
      candidates.push_back(std::move(candidate));
    }
  }
  return candidates;
}

}  // namespace roundhouse::host
