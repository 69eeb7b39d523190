// SPDX-License-Identifier: Apache-2.0
// config.json at the store's root: what its user decided once and for all.
#pragma once

#include <filesystem>

namespace roundhouse::host {

inline constexpr const char* kAutoPullSetting = "auto_pull";

struct StoreSettings {
  bool auto_pull = false;  // a model that is absent and whose source is known is fetched when it is asked for
};

// Without the file, or without a store, everything is as above. Members of other parts of the program are
// left to them. Throws INVALID_ARGUMENT naming file and member for a wrong type or what is no JSON, IO_ERROR.
StoreSettings read_store_settings(const std::filesystem::path& root);

}  // namespace roundhouse::host
