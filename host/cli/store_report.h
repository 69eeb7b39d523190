// SPDX-License-Identifier: Apache-2.0
// What the commands on the model store have to tell, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "host/cli/report.h"
#include "host/store/store.h"

namespace roundhouse::host {

OrderedJson import_json(const ImportReport& report, const Store& store);
std::string import_text(const ImportReport& report);

// `verb`: "removed" or "would remove".
OrderedJson collection_json(const Collection& collection);
std::string collection_text(const Collection& collection, const std::string& verb);

}  // namespace roundhouse::host
