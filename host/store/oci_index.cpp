// SPDX-License-Identifier: Apache-2.0
#include "host/store/oci_index.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "host/store/small_file.h"
#include "host/text/json_text.h"
#include "roundhouse/error.hpp"

namespace roundhouse::host {
namespace {

constexpr const char* kLayoutVersion = "1.0.0";

void check_layout(const StorePaths& paths) {
  const std::string shown = "store '" + paths.root.string() + "': oci-layout";
  const auto text = read_small_file(paths.layout(), shown, 4096);
  if (!text) throw Error(RH_MODEL_INVALID, shown + ": is missing beside index.json");
  const auto layout = parse_json_object(*text, shown);
  const auto version = layout.find("imageLayoutVersion");
  if (version == layout.end() || !version->is_string() || *version != kLayoutVersion)
    throw Error(RH_MODEL_INVALID, shown + ": imageLayoutVersion: expected " + kLayoutVersion);
}

// Without their names blobs look like nobody's.
void refuse_lost_index(const StorePaths& paths, const std::string& shown) {
  std::error_code ignored;
  const bool blobs =
      std::filesystem::directory_iterator(paths.blobs(), ignored) != std::filesystem::directory_iterator();
  if (!blobs && !std::filesystem::exists(paths.layout(), ignored)) return;
  throw Error(RH_MODEL_INVALID,
              shown + ": is missing, and the store has " + (blobs ? "files of models" : "an oci-layout"),
              "put index.json back; where the models are not needed, remove oci-layout and blobs");
}

}  // namespace

std::string entry_name(const OciDescriptor& entry) {
  const auto name = entry.annotations.find(kNameAnnotation);
  return name == entry.annotations.end() ? "" : name->second;
}

OciIndex::OciIndex() {
  root_["schemaVersion"] = 2;
  root_["mediaType"] = kIndexType;
  root_["manifests"] = nlohmann::json::array();
}

OciIndex OciIndex::parse(const std::string& text, const std::string& shown) {
  OciIndex index;
  index.root_ = parse_json_object(text, shown);
  const auto schema = index.root_.find("schemaVersion");
  if (schema == index.root_.end() || !schema->is_number_integer() || schema->get<std::int64_t>() != 2)
    throw Error(RH_MODEL_INVALID, shown + ": schemaVersion: expected 2");
  const auto manifests = index.root_.find("manifests");
  if (manifests == index.root_.end() || !manifests->is_array())
    throw Error(RH_MODEL_INVALID, shown + ": manifests: expected an array");
  for (std::size_t i = 0; i < manifests->size(); ++i)
    index.entries_.push_back(parse_descriptor((*manifests)[i], fmt::format("{}: manifests[{}]", shown, i)));
  return index;
}

OciIndex OciIndex::read(const StorePaths& paths) {
  if (paths.root.empty()) return {};
  const std::string shown = "store '" + paths.root.string() + "': index.json";
  const auto text = read_small_file(paths.index(), shown, kMaximumIndexBytes);
  if (!text) {
    refuse_lost_index(paths, shown);
    return {};
  }
  check_layout(paths);
  return parse(*text, shown);
}

const OciDescriptor* OciIndex::find(const std::string& name) const {
  for (const OciDescriptor& entry : entries_) {
    if (entry_name(entry) == name) return &entry;
  }
  return nullptr;
}

void OciIndex::set(const std::string& name, OciDescriptor entry) {
  remove(name);
  entry.annotations[kNameAnnotation] = name;
  nlohmann::json row = descriptor_json(entry);
  row["artifactType"] = kArtifactType;
  root_["manifests"].push_back(std::move(row));
  entries_.push_back(std::move(entry));
}

bool OciIndex::remove(const std::string& name) {
  bool found = false;
  auto& manifests = root_["manifests"];
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (entry_name(entries_[i]) != name) continue;
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
    manifests.erase(i);
    found = true;
  }
  return found;
}

std::string OciIndex::text() const {
  return json_lines(root_) + "\n";
}

std::string OciIndex::layout_text() {
  return std::string(R"({"imageLayoutVersion":")") + kLayoutVersion + "\"}";
}

void OciIndex::write(const StorePaths& paths, StoreSession& session) const {
  std::error_code ignored;
  make_directories(paths.blobs());
  if (!std::filesystem::exists(paths.layout(), ignored)) replace_file(session, paths.layout(), layout_text());
  replace_file(session, paths.index(), text());
}

}  // namespace roundhouse::host
