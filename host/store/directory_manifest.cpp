// SPDX-License-Identifier: Apache-2.0
#include "host/store/directory_manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "host/store/model_files.h"
#include "host/store/small_file.h"
#include "host/store/stamp.h"
#include "host/store/weight_digests.h"
#include "host/text/json_text.h"

namespace roundhouse::host {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr std::size_t kLargestManifestBytes = 64 << 20;
constexpr int kVersion = 1;

struct ListedTensor {
  std::string name, sha256;
};
struct ListedFile {
  std::string path, sha256;
  std::uint64_t size = 0;
  std::vector<ListedTensor> tensors;
};

// What a file holds now.
struct Hashed {
  Digest digest;
  std::optional<WeightRecord> weights;
};

// Hashes files one after the other as one piece of work.
class Hasher {
 public:
  Hasher(const ProgressCallback& progress, std::uint64_t total) : progress_(progress), total_(total) {}

  Hashed hash(const std::string& path, const fs::path& file) {
    const File opened = open_for_reading(file, "file '" + path + "'", true);
    std::optional<WeightDigests> weights;
    if (WeightDigests::apply_to(path)) weights.emplace();
    const Digest digest = digest_of_file(opened, "file '" + path + "'", [&](std::string_view bytes) {
      if (weights) weights->update(bytes);
      done_ += bytes.size();
      if (progress_) progress_({path, std::min(done_, total_), total_});
    });
    return {digest, weights ? weights->finish() : std::nullopt};
  }

 private:
  const ProgressCallback& progress_;
  std::uint64_t done_ = 0, total_;
};

std::vector<SourceFile> listed_files(const fs::path& directory, Links links) {
  std::vector<SourceFile> files = list_model_files(directory, links).files;
  std::erase_if(files, [](const SourceFile& file) { return file.path == kDirectoryManifest; });
  return files;
}

std::uint64_t total_of(const std::vector<SourceFile>& files) {
  std::uint64_t total = 0;
  for (const SourceFile& file : files)
    total += file.size;
  return total;
}

[[noreturn]] void refuse_listing(const std::string& where, const std::string& what) {
  throw Error(RH_MODEL_INVALID, std::string(kDirectoryManifest) + ": " + where + ": " + what);
}

std::string string_of(const json& object, const char* key, const std::string& where) {
  const auto value = object.find(key);
  if (value == object.end() || !value->is_string()) refuse_listing(where + key, "expected text");
  return value->get<std::string>();
}

std::string digest_text(const json& object, const std::string& where) {
  const std::string text = string_of(object, "sha256", where);
  if (!Digest::from_hex(text)) refuse_listing(where + "sha256", "expected 64 lower-case hexadecimal digits");
  return text;
}

ListedFile parse_file(const json& row, const std::string& where) {
  if (!row.is_object()) refuse_listing(where, "expected an object");
  ListedFile file{string_of(row, "path", where), digest_text(row, where), 0, {}};
  require_safe_path(file.path, kDirectoryManifest);
  const auto size = row.find("size");
  if (size == row.end() || !size->is_number_unsigned())
    refuse_listing(where + "size", "expected a number of bytes");
  file.size = size->get<std::uint64_t>();
  const auto tensors = row.find("tensors");
  if (tensors == row.end()) return file;
  if (!tensors->is_array()) refuse_listing(where + "tensors", "expected an array");
  for (const auto& tensor : *tensors) {
    if (!tensor.is_object()) refuse_listing(where + "tensors", "expected objects");
    file.tensors.push_back(
        {string_of(tensor, "name", where + "tensors."), digest_text(tensor, where + "tensors.")});
  }
  return file;
}

std::vector<ListedFile> parse(const std::string& text) {
  const json root = parse_json_object(text, kDirectoryManifest);
  const auto version = root.find("version");
  if (version == root.end() || !version->is_number_integer() || version->get<std::int64_t>() != kVersion)
    refuse_listing("version",
                   fmt::format("{}, expected {}",
                               (version == root.end() ? "is missing" : "is " + version->dump().substr(0, 40)),
                               kVersion));
  const auto list = root.find("files");
  if (list == root.end() || !list->is_array()) refuse_listing("files", "expected an array");
  std::vector<ListedFile> files;
  for (std::size_t i = 0; i < list->size(); ++i)
    files.push_back(parse_file((*list)[i], fmt::format("files[{}].", i)));
  return files;
}

std::optional<std::string> manifest_text(const fs::path& directory) {
  return read_small_file(directory / kDirectoryManifest, kDirectoryManifest, kLargestManifestBytes);
}

std::optional<Damage> size_damage(const fs::path& directory, const ListedFile& file) {
  std::error_code error;
  const std::uint64_t size = fs::file_size(directory / file.path, error);
  if (error) return Damage{file.path, "missing", "there is no such file", {}, file.sha256, {}};
  if (size == file.size) return std::nullopt;
  return Damage{file.path,
                size < file.size ? "truncated" : "longer",
                fmt::format("{} bytes, expected {}", size, file.size),
                {},
                file.sha256,
                {}};
}

// The file has its size, but is not what it was.
Damage content_damage(const ListedFile& file, const Hashed& now) {
  Damage damage{file.path, "content", "the content changed", {}, file.sha256, now.digest.hex()};
  if (file.tensors.empty()) return damage;
  if (!now.weights || now.weights->tensors.size() != file.tensors.size()) {
    damage.kind = "header";
    damage.detail = "the header changed";
    return damage;
  }
  for (std::size_t i = 0; i < file.tensors.size(); ++i) {
    const TensorRecord& tensor = now.weights->tensors[i];
    if (tensor.digest.hex() == file.tensors[i].sha256) continue;
    damage.kind = "tensor";
    damage.tensors.push_back(file.tensors[i].name);
    if (damage.tensors.size() == 1)
      damage.detail =
          fmt::format("tensor '{}' (bytes {} to {}) changed", file.tensors[i].name, tensor.begin, tensor.end);
  }
  if (damage.tensors.size() > 1) damage.detail += fmt::format(", and {} more", damage.tensors.size() - 1);
  return damage;
}

ordered_json file_json(const SourceFile& file, const Hashed& hashed) {
  ordered_json row;
  row["path"] = file.path;
  row["sha256"] = hashed.digest.hex();
  row["size"] = file.size;
  if (!hashed.weights) return row;
  row["tensors"] = ordered_json::array();
  for (const TensorRecord& tensor : hashed.weights->tensors) {
    ordered_json entry;
    entry["name"] = tensor.name;
    entry["dtype"] = tensor.dtype;
    entry["shape"] = tensor.shape;
    entry["sha256"] = tensor.digest.hex();
    row["tensors"].push_back(std::move(entry));
  }
  return row;
}

}  // namespace

void write_directory_manifest(const fs::path& directory, const std::string& tool,
                              const ProgressCallback& progress) {
  ordered_json root;
  root["version"] = kVersion;
  root["tool"] = tool;
  root["files"] = ordered_json::array();
  const auto files = listed_files(directory, Links::none);
  Hasher hasher(progress, total_of(files));
  for (const SourceFile& file : files)
    root["files"].push_back(file_json(file, hasher.hash(file.path, file.file)));
  const fs::path target = directory / kDirectoryManifest;
  const File written = create_file(target);
  write_all(written, json_lines(root) + "\n", "file '" + target.string() + "'");
  sync_file(written, "file '" + target.string() + "'");
}

bool has_directory_manifest(const fs::path& directory) {
  try {
    const auto text = manifest_text(directory);
    if (!text) return false;
    const json root = parse_json_object(*text, kDirectoryManifest);
    return root.contains("version") && root.contains("files") && root.contains("tool");
  } catch (const Error&) {
    return false;  // a file of somebody else
  }
}

std::vector<Damage> verify_directory(const fs::path& directory, const ProgressCallback& progress) {
  const auto text = manifest_text(directory);
  if (!text)
    throw Error(RH_WEIGHTS_MISSING, "directory '" + directory.string() + "': has no " + kDirectoryManifest,
                "'roundhouse convert' writes one with --output");
  const std::vector<ListedFile> files = parse(*text);
  std::uint64_t total = 0;
  for (const ListedFile& file : files)
    total += file.size;
  Hasher hasher(progress, total);
  std::vector<Damage> damages;
  for (const ListedFile& file : files) {
    if (auto damage = size_damage(directory, file)) {
      damages.push_back(std::move(*damage));
      continue;
    }
    const Hashed now = hasher.hash(file.path, directory / file.path);
    if (now.digest.hex() != file.sha256) damages.push_back(content_damage(file, now));
  }
  return damages;
}

void require_listed_sizes(const fs::path& directory) {
  if (!has_directory_manifest(directory)) return;
  for (const ListedFile& file : parse(*manifest_text(directory))) {
    const auto damage = size_damage(directory, file);
    if (!damage) continue;
    throw Error(damage->kind == "missing" ? RH_WEIGHTS_MISSING : RH_INTEGRITY_MISMATCH,
                "model directory '" + directory.string() + "': file '" + file.path + "': " + damage->kind +
                    ": " + damage->detail,
                "'roundhouse verify " + directory.string() + "' lists all damage");
  }
}

Digest digest_of_directory(const fs::path& directory, const ProgressCallback& progress) {
  const auto files = listed_files(directory, Links::any);
  Hasher hasher(progress, total_of(files));
  std::string lines;
  for (const SourceFile& file : files)
    lines += hasher.hash(file.path, file.file).digest.text() + " " + file.path + "\n";
  return sha256(lines);
}

}  // namespace roundhouse::host
