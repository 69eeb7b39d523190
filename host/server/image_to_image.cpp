// SPDX-License-Identifier: Apache-2.0
#include "host/server/image_to_image.h"

#include <fmt/format.h>

#include "host/transport/base64.h"

namespace roundhouse::host {

std::string decode_image_text(const nlohmann::json& value, const std::string& field) {
  const auto refuse = [&](const std::string& why) { throw Error(RH_INVALID_ARGUMENT, field + ": " + why); };
  if (!value.is_string()) refuse("is not a text, expected an image in base64");
  std::string_view text = value.get_ref<const std::string&>();
  if (text.starts_with("data:")) {
    const std::size_t comma = text.find(',');
    if (comma == std::string_view::npos || !text.substr(0, comma).ends_with(";base64"))
      refuse("is a data: address without base64");
    text.remove_prefix(comma + 1);
  }
  const auto bytes = base64_decoded(text);
  if (!bytes || bytes->empty()) refuse("is not an image in base64");
  return *bytes;
}

void take_init_fields(const JsonFields& fields, const char* image, const char* mask, const char* strength,
                      GenerateRequest& request) {
  if (const auto value = fields.number(strength)) request.strength = value;
  if (!fields.has(image)) {
    if (fields.has(mask)) {
      throw Error(RH_INVALID_ARGUMENT,
                  fmt::format("{}: is of an image to begin with, expected {} with it", mask, image));
    }
    return;
  }
  auto init = std::make_shared<InitSource>(
      read_init_image(decode_image_text(fields.value().at(image), image), image));
  if (fields.has(mask)) read_mask(*init, decode_image_text(fields.value().at(mask), mask), mask);
  request.init = std::move(init);
}

}  // namespace roundhouse::host
