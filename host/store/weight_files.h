// SPDX-License-Identifier: Apache-2.0
// The files of weights of one folder: which there are, and what types their headers name. Reads no weights.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace roundhouse::host {

// The safetensors format's own limit of a header.
inline constexpr std::uint64_t kMaximumHeaderBytes = 100'000'000;

// Whether there is such a file, links followed.
bool file_present(const std::filesystem::path& file);

// The weight files of a network, relative to the model: one file, or the shards of an index, of safetensors,
// or one GGUF. `folder` is "" or ends with '/'. What is absent goes to `missing`, with what is there instead.
// Throws UNSAFE_NAME for a shard that is no plain file name, MODEL_INVALID for a damaged index and for
// weights in both formats.
std::vector<std::string> weight_files(const std::filesystem::path& directory, const std::string& folder,
                                      std::vector<std::string>& missing);

bool is_gguf(const std::string& path);
// Whether the path is that of weights, or of an index of them.
bool is_weights_path(const std::string& path);

// What weights are stored as, by the names of capability lists.
struct StoredTypes {
  std::set<std::string> types;                 // that more than a hundredth of a file is stored in
  std::map<std::string, std::uint64_t> bytes;  // of every type, in all files

  // That most of the bytes are of; empty without any.
  std::string main() const;
};

// Adds those of a file; which can be run, and whether the rest can, is for the engines to say. Throws
// MODEL_INVALID naming file and tensor, IO_ERROR.
void collect_types(const std::filesystem::path& directory, const std::string& file, StoredTypes& stored);

// The names of a file's tensors. Throws as collect_types.
std::vector<std::string> tensor_names(const std::filesystem::path& directory, const std::string& file);

// As a capability list spells a type of the safetensors format ("BF16": "bf16"); empty for what is no name.
std::string capability_dtype(const std::string& safetensors_dtype);

// Throws WEIGHTS_MISSING where the file is what a clone without Git LFS has in its place.
void refuse_pointer(const std::filesystem::path& file, const std::string& shown);

}  // namespace roundhouse::host
