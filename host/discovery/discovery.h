// SPDX-License-Identifier: Apache-2.0
// Where engines are looked for, in which order, and what was found there. Loads nothing.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "host/manifest/manifest.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {

// A directory that is searched for *.json, not recursively, in name order.
struct SearchDirectory {
  std::filesystem::path path;  // absolute; empty only where a flag was given nothing
  std::string origin;          // "flag", "environment", "user", "install", "build"
};

// The order one can recite: every --engine-path in turn; ROUNDHOUSE_ENGINE_PATH (colon-separated); the user's
// $XDG_DATA_HOME/roundhouse/engines (or ~/.local/share/...); <prefix>/lib/roundhouse/engines of the
// installation, or <build>/engines of the build tree that the executable runs from. Directories named twice
// count once.
struct DiscoveryInput {
  std::vector<std::filesystem::path> flag_directories;  // relative ones start at the working directory
  std::function<std::optional<std::string>(const std::string&)> environment;  // getenv
  std::filesystem::path executable;                                           // absolute
};
std::vector<SearchDirectory> search_directories(const DiscoveryInput& input);

// One manifest file that was found. Exactly one of manifest and error is set. The first candidate of an id
// wins; a later one has duplicate_of, the winner's manifest file, and is reported but not used. `stamp` is
// what stat says of the manifest and its library: another one after either was replaced.
struct Candidate {
  std::filesystem::path file;
  std::string origin;
  std::optional<EngineManifest> manifest;
  std::optional<Error> error;
  std::optional<std::filesystem::path> duplicate_of;
  std::string stamp = {};
};

// Candidates in search order. A missing directory is silently empty, except one named by a flag: that is a
// candidate with IO_ERROR, as is a directory that cannot be read.
std::vector<Candidate> discover(const std::vector<SearchDirectory>& directories);

}  // namespace roundhouse::host
