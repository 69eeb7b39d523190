// SPDX-License-Identifier: Apache-2.0
// `generate --server`: the same images and the same report, made by a daemon.
#pragma once

#include "host/cli/generate_options.h"
#include "host/cli/generate_summary.h"
#include "host/cli/progress_view.h"

namespace roundhouse::host {

// A file of an image, as the daemon made it. `image` has no file yet.
using RemoteSaved = std::function<void(std::uint32_t index, SavedImage image, std::string_view bytes)>;

// Throws INVALID_ARGUMENT naming a flag that only means something where the engine runs.
void refuse_local_flags(const GenerateFlags& flags);

// Has every image made, one request each with seed + i, and fills `record` but for the files; `saved` gets
// each image before the next is asked for. Throws what DaemonClient throws, and SOURCE_REJECTED for an
// answer that is none of what was asked for.
void generate_remotely(const GenerateFlags& flags, const GenerateRequest& request, RunRecord& record,
                       ProgressView& progress, const RemoteSaved& saved);

}  // namespace roundhouse::host
