// SPDX-License-Identifier: Apache-2.0
// The body of POST /generate.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host/images/image_format.h"
#include "host/residency/keep_alive.h"
#include "host/server/http/message.h"
#include "host/server/services.h"
#include "host/session/session.h"

namespace roundhouse::host {

struct NativeRequest {
  GenerateRequest request;  // decorated prompt, size that the model takes
  std::string prompt;       // as it was sent
  std::string id;           // of the generation
  std::optional<KeepAlive> keep_alive;
  std::optional<ImageEncoding> encoding;  // none: raw RGBA
  bool stream = false;                    // NDJSON
  bool metadata = true;                   // inside the file
  std::uint32_t preview_every = 0;
  bool preserve_aspect = true;
  std::string fit_mode = "contain";
  std::uint32_t asked_width = 0, asked_height = 0;
  std::vector<std::string> notes;  // what was asked for and is not done
};

// Throws INVALID_ARGUMENT for a member of the wrong type or out of its range, INVALID_DIMENSION for a side
// below 1 or above 2048, and what resolving the model throws.
NativeRequest read_native_request(const http::Request& request, const Services& services);

// With ", pixel art, 8bit style, game sprite" unless it speaks of pixel art already.
std::string decorated_prompt(const std::string& prompt);

}  // namespace roundhouse::host
