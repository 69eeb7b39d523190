// SPDX-License-Identifier: Apache-2.0
// Images that clients send, to make others from.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "host/server/http/router.h"
#include "host/server/json_fields.h"
#include "host/session/init_image.h"
#include "host/session/session.h"

namespace roundhouse::host {

// Room for images of other people in base64.
inline constexpr http::RouteOptions kWithImages{std::uint64_t{64} << 20, false, false};

// The bytes of a file in base64, with or without "data:image/png;base64," before it. Throws INVALID_ARGUMENT
// naming `field` for what is no text, no base64 or empty.
std::string decode_image_text(const nlohmann::json& value, const std::string& field);

// The image in the field `image`, the mask in `mask` (white is drawn anew) and the number in `strength`, as
// far as they are there. Throws INVALID_ARGUMENT as read_image, and for a mask without an image.
void take_init_fields(const JsonFields& fields, const char* image, const char* mask, const char* strength,
                      GenerateRequest& request);

}  // namespace roundhouse::host
