// SPDX-License-Identifier: Apache-2.0
// What the commands on the model store have to tell, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "host/cli/program.h"
#include "host/cli/report.h"
#include "host/store/store.h"

namespace roundhouse::host {

OrderedJson import_json(const ImportReport& report, const Store& store);
std::string import_text(const ImportReport& report);

// `verb`: "removed" or "would remove".
OrderedJson collection_json(const Collection& collection);
std::string collection_text(const Collection& collection, const std::string& verb);

// The model of the store. Throws MODEL_NOT_FOUND, which says how to take in one that is here but not in the
// store: what comes along with the program, or lies in a directory.
StoredModel stored_model(const Program& program, const Store& store, const ModelName& name);

}  // namespace roundhouse::host
