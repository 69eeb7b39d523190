// SPDX-License-Identifier: Apache-2.0
// manifest.json in a model directory: the digest of every file and tensor, so that a directory which is no
// model of the store can be checked, too. Version 1:
//
//   {"version": 1, "tool": "roundhouse 0.1.0", "files": [{"path", "sha256", "size",
//                                                         "tensors": [{"name", "dtype", "shape",
//                                                         "sha256"}]}]}
//
// Files are sorted by path, tensors by their place in the file; only files of weights have tensors. No times,
// no places: the same files give the same manifest.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "host/store/store.h"

namespace roundhouse::host {

inline constexpr const char* kDirectoryManifest = "manifest.json";

// Hashes every file beneath the directory, none of them a link, and writes its manifest. Throws what
// list_model_files throws, IO_ERROR, INSUFFICIENT_STORAGE.
void write_directory_manifest(const std::filesystem::path& directory, const std::string& tool,
                              const ProgressCallback& progress);

// Whether the directory has a manifest.json that is one of these, of whatever version. Never throws.
bool has_directory_manifest(const std::filesystem::path& directory);

// Every file that is not what the manifest says; all are hashed. Files that it does not list are nobody's.
// Throws WEIGHTS_MISSING where there is none, MODEL_INVALID for a damaged one or one of another version,
// UNSAFE_NAME for paths that lead elsewhere.
std::vector<Damage> verify_directory(const std::filesystem::path& directory,
                                     const ProgressCallback& progress);

// The cheap part of it: presence and size of every file. Throws INTEGRITY_MISMATCH or WEIGHTS_MISSING naming
// the first that differs; nothing where the directory has no manifest.
void require_listed_sizes(const std::filesystem::path& directory);

// The digest of the lines "DIGEST PATH" of all files, manifests excepted.
Digest digest_of_directory(const std::filesystem::path& directory, const ProgressCallback& progress);

}  // namespace roundhouse::host
