// SPDX-License-Identifier: Apache-2.0
// Sources that are one file of a web server.
#pragma once

#include <string>

#include "host/app/pull.h"

namespace roundhouse::host {

bool is_web_source(const std::string& source);  // begins with http:// or https://

// An OCI archive, a GGUF or a safetensors file, as import_model takes it. What has arrived stays when it ends
// early, and is taken up again where the server still has the same. Nothing vouches for the bytes but the
// connection, and for an archive its own digests.
ImportReport pull_web(const AppContext& context, const PullRequest& request);

}  // namespace roundhouse::host
