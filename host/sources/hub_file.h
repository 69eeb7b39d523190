// SPDX-License-Identifier: Apache-2.0
// One file of a hub, from wherever its download has come to up to its end.
#pragma once

#include "host/sources/hub_api.h"
#include "host/sources/ranged_fetch.h"

namespace roundhouse::host {

// Fetches what is missing. Cut connections and answers that ask for backoff are tried again from where the
// download is. `repository.revision` is the commit. Returns when the source has no more to send; whether that
// is the file is for Download::publish to say. Throws what HubApi throws.
void fetch_hub_file(HttpClient& client, const HubOptions& options, const HubRepository& repository,
                    const HubFile& file, Download& download, const BytesMoved& moved);

// The first bytes of the file, at most so many.
std::string fetch_hub_beginning(HttpClient& client, const HubOptions& options,
                                const HubRepository& repository, const HubFile& file, std::uint64_t bytes);

}  // namespace roundhouse::host
