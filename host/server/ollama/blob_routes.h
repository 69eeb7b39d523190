// SPDX-License-Identifier: Apache-2.0
// HEAD and POST /api/blobs/sha256:HEX.
#pragma once

#include <memory>

#include "host/server/http/router.h"
#include "host/server/ollama/uploads.h"

namespace roundhouse::host::ollama {

void add_blob_routes(http::Router& router, const std::shared_ptr<Uploads>& uploads);

}  // namespace roundhouse::host::ollama
