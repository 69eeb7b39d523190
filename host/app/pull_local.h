// SPDX-License-Identifier: Apache-2.0
// Sources that lie on this machine.
#pragma once

#include <string>

#include "host/app/pull.h"

namespace roundhouse::host {

// "file:///path", or what looks like a path or exists.
bool is_local_source(const std::string& source);

// As import_model takes it. Throws INVALID_ARGUMENT for a file URL of another machine.
ImportReport pull_local(const AppContext& context, const PullRequest& request);

}  // namespace roundhouse::host
