// SPDX-License-Identifier: Apache-2.0
// Images that clients send, to make others from. What can be said of them before an engine can be given
// one.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "host/server/services.h"
#include "host/session/session.h"

namespace roundhouse::host {

// The bytes of a file in base64, with or without "data:image/png;base64," before it. Throws INVALID_ARGUMENT
// naming `field` for what is no text, no base64 or empty.
std::string decode_image_text(const nlohmann::json& value, const std::string& field);

// Throws INVALID_ARGUMENT naming `field` unless the bytes begin as a PNG, JPEG or WebP file does.
void check_image_kind(std::string_view bytes, const std::string& field);

// Throws what planning the request throws, for example MODEL_NOT_FOUND; else CAPABILITY_UNSUPPORTED with the
// engines that were looked at. `mask`: part of the image was to stay.
[[noreturn]] void refuse_image_to_image(const Services& services, GenerateRequest request, bool mask);

}  // namespace roundhouse::host
