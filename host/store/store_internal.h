// SPDX-License-Identifier: Apache-2.0
// What the parts of the store share and its users do not need.
#pragma once

#include <string>

#include "host/store/oci_index.h"
#include "host/store/store.h"

namespace roundhouse::host {

// A small blob's text, checked. Throws WEIGHTS_MISSING when it is not there, INTEGRITY_MISMATCH when it is
// another, MODEL_INVALID when it is larger than `limit`. `shown` names it.
std::string read_blob(const StorePaths& paths, const Digest& digest, std::size_t limit,
                      const std::string& shown);

StoredModel stored_model(const OciDescriptor& entry);

// Gives a manifest that lies in the store its name. `replaced` is what the name stood for before.
struct Committed {
  StoredModel model;
  std::optional<Digest> replaced;
};
Committed commit(const StorePaths& paths, StoreSession& session, const ModelName& name,
                 const OciDescriptor& manifest, const std::string& source);

// Throws INVALID_ARGUMENT when the name has a version and stands for another manifest.
void refuse_new_meaning(const OciIndex& index, const ModelName& name, const Digest* digest);

// Now, or SOURCE_DATE_EPOCH, as RFC 3339.
std::string timestamp();

}  // namespace roundhouse::host
