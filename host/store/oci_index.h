// SPDX-License-Identifier: Apache-2.0
// index.json of an OCI image layout: which names stand for which manifests. Keeps what other tools wrote
// there.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "host/store/oci_manifest.h"
#include "host/store/store_paths.h"

namespace roundhouse::host {

// An index.json beyond this is refused.
inline constexpr std::size_t kMaximumIndexBytes = 16 << 20;

class OciIndex {
 public:
  OciIndex();  // empty
  // Throws MODEL_INVALID for damage; `shown` names the file.
  static OciIndex parse(const std::string& text, const std::string& shown);
  // The store's; empty where there is no store yet. Throws MODEL_INVALID, also for a layout of another
  // version and for a store that has lost its index.
  static OciIndex read(const StorePaths& paths);

  // All entries, also those without a name and those that are no models.
  const std::vector<OciDescriptor>& entries() const { return entries_; }
  // The entry with that annotation org.opencontainers.image.ref.name, or null.
  const OciDescriptor* find(const std::string& name) const;

  // Puts the entry in place of those of the same name.
  void set(const std::string& name, OciDescriptor entry);
  bool remove(const std::string& name);

  // The exclusive lock must be held. Makes the layout file and the blob directory as well.
  void write(const StorePaths& paths, StoreSession& session) const;
  std::string text() const;

  static std::string layout_text();

 private:
  nlohmann::json root_;
  std::vector<OciDescriptor> entries_;
};

// The name of an entry; empty without one.
std::string entry_name(const OciDescriptor& entry);

}  // namespace roundhouse::host
