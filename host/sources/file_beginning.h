// SPDX-License-Identifier: Apache-2.0
// What can be known of a file of weights before it is fetched.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "host/store/download.h"

namespace roundhouse::host {

// Gives the first `bytes` bytes of a file; fewer where it is shorter. Throws as the source does.
using FetchBeginning = std::function<std::string(std::uint64_t bytes)>;

// The same of a download, which keeps what `fetch` gave for when the rest is fetched.
std::string beginning_of(Download& download, std::uint64_t bytes, const FetchBeginning& fetch);

// Ends an answer that goes on; thrown by the sink of a stream, and caught by who has started it.
struct EnoughOfAnswer {};

// Writes a file of safetensors or GGUF of `size` bytes as it will be, but for its data: what begins it up to
// the header's end, then zeros that take no room. `shown`: its name in messages. Throws IO_ERROR and what
// `fetch` throws.
void write_beginning(const std::filesystem::path& to, const std::string& shown, std::uint64_t size,
                     const FetchBeginning& fetch);

}  // namespace roundhouse::host
